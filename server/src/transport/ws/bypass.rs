//! Large frames on their way to the network, past the codec's buffer: they are written from the
//! memory that all receivers share, where the codec would copy them for each.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use parking_lot::Mutex;
use tokio::io::AsyncWrite;

/// Payloads from here on are not copied; below, a copy is cheaper than a piece of its own.
pub(super) const LARGE: usize = 4 * 1024;
/// Bytes that may wait here before a write is forced.
const BOUNDARY: usize = 64 * 1024;
/// Pieces of one write.
const PIECES: usize = 16;

/// Shared by the codec, which puts frames in, and the stream below it, which writes them. Both
/// belong to one task.
#[derive(Debug, Default, Clone)]
pub(super) struct Bypass(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Changed under the lock only, and read without where it is nearly always 0.
    bytes: AtomicUsize,
    /// Heads and payloads of frames in turn.
    pieces: Mutex<VecDeque<Bytes>>,
}

impl Bypass {
    /// Takes a whole, unmasked frame whose head starts with `first`.
    pub(super) fn push(&self, first: u8, payload: Bytes) {
        let head = head(first, payload.len());
        let mut pieces = self.0.pieces.lock();
        self.0.bytes.fetch_add(head.len() + payload.len(), Relaxed);
        pieces.extend([head, payload]);
    }

    fn len(&self) -> usize {
        self.0.bytes.load(Relaxed)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= BOUNDARY
    }

    /// Ready when all that waits has been written.
    pub(super) fn poll_write<W: AsyncWrite + Unpin>(
        &self,
        io: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.len() > 0 {
            let pieces = &mut *self.0.pieces.lock();
            let mut slices = [IoSlice::new(&[]); PIECES];
            for (slice, piece) in slices.iter_mut().zip(&*pieces) {
                *slice = IoSlice::new(piece);
            }
            let count = pieces.len().min(PIECES);
            let written = ready!(Pin::new(&mut *io).poll_write_vectored(cx, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.0.bytes.fetch_sub(written, Relaxed);
            advance(pieces, written);
        }
        Poll::Ready(Ok(()))
    }
}

/// Takes off what was written. An empty queue keeps no memory.
fn advance(pieces: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(piece) = pieces.front_mut() {
        if written < piece.len() {
            piece.advance(written);
            return;
        }
        written -= piece.len();
        pieces.pop_front();
    }
    *pieces = VecDeque::new();
}

/// The head of an unmasked frame (RFC 6455, section 5.2).
fn head(first: u8, length: usize) -> Bytes {
    let mut head = vec![first];
    match u16::try_from(length) {
        Ok(short) if short < 126 => head.push(short as u8),
        Ok(medium) => {
            head.push(126);
            head.extend(medium.to_be_bytes());
        }
        Err(_) => {
            head.push(127);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head.into()
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker;

    use super::*;

    #[test]
    fn heads_have_the_shortest_form() {
        assert_eq!(head(0x81, 125), [0x81, 125][..]);
        assert_eq!(head(0x81, 126), [0x81, 126, 0, 126][..]);
        assert_eq!(head(0x82, 65_535), [0x82, 126, 255, 255][..]);
        assert_eq!(head(0x82, 65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..]);
    }

    #[test]
    fn frames_come_out_whole_however_little_is_taken_at_once() {
        let bypass = Bypass::default();
        let payloads = [vec![b'a'; LARGE], vec![b'b'; BOUNDARY], vec![b'c'; 3]];
        let mut expected = Vec::new();
        for payload in &payloads {
            expected.extend_from_slice(&head(0x81, payload.len()));
            expected.extend_from_slice(payload);
            bypass.push(0x81, payload.clone().into());
        }
        assert!(bypass.is_full());
        let (mut ours, mut theirs) = tokio::io::duplex(1000);
        let (waker, mut got) = (noop_waker(), Vec::new());
        let mut cx = Context::from_waker(&waker);
        loop {
            let done = bypass.poll_write(&mut ours, &mut cx).is_ready();
            let mut buffer = [0; 1000];
            let mut read = tokio::io::ReadBuf::new(&mut buffer);
            let _ = tokio::io::AsyncRead::poll_read(Pin::new(&mut theirs), &mut cx, &mut read);
            got.extend_from_slice(read.filled());
            if done && read.filled().is_empty() {
                break;
            }
        }
        assert!(got == expected && !bypass.is_full());
    }
}
