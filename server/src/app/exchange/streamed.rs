//! A response that goes on and on, after its beginning: each piece is a chunk, as in RFC 9112,
//! section 7.1.
//!
//! hyper would hold its buffers for as long as the response lasts, and would look at all else that a
//! connection may do whenever there is a message to write.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::parked::Parked;
use crate::sockjs::Apart;

/// So many bytes are gathered for one write, and one piece more.
const FULL: usize = 32 * 1024;

thread_local! {
    /// Memory to gather chunks in, which a connection keeps only while its client does not take
    /// them.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A connection with such a response.
pub(super) struct Streamed<S> {
    parked: Parked<S>,
    body: Body,
    is_over: bool,
    /// Chunks that have to be written, from `written` on.
    chunks: Vec<u8>,
    written: usize,
    is_flushed: bool,
    input: Apart,
}

/// The client has gone, or the response broke.
pub(super) struct Broken;

impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        tracing::debug!(%error, "connection ended");
        Self
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Streamed<S> {
    pub(super) fn new(parked: Parked<S>, body: Body) -> Self {
        let (chunks, written, input) = Default::default();
        Self { parked, body, is_over: false, chunks, written, is_flushed: true, input }
    }

    /// Gives the connection back when the response has been written to its end.
    pub(super) async fn run(mut self) -> Result<Parked<S>, Broken> {
        poll_fn(|cx| self.poll(cx)).await?;
        Ok(self.parked)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.look_at_input(cx)?;
        let mut is_quiet = false;
        loop {
            ready!(self.poll_write(cx))?;
            if self.is_over {
                return Poll::Ready(Ok(()));
            }
            if is_quiet {
                return Poll::Pending;
            }
            is_quiet = self.gather(cx)?;
        }
    }

    /// A client that goes on speaking is heard after its response; one that says that it will not
    /// has gone, as it has for hyper.
    fn look_at_input(&mut self, cx: &Context<'_>) -> Result<(), Broken> {
        let Parked { stream, read } = &mut self.parked;
        if !read.is_empty() {
            return Ok(());
        }
        let mut bytes = [0; 16];
        let mut input = ReadBuf::new(&mut bytes);
        match self.input.poll(cx, |cx| Pin::new(stream).poll_read(cx, &mut input)) {
            Poll::Pending => Ok(()),
            Poll::Ready(done) => {
                done?;
                *read = Bytes::copy_from_slice(input.filled());
                if read.is_empty() { Err(Broken) } else { Ok(()) }
            }
        }
    }

    /// True when there is no more for now.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<bool, Broken> {
        self.chunks = SPARE.take();
        while self.chunks.len() < FULL {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(Some(frame)) => {
                    let piece = frame?.into_data().unwrap_or_default();
                    write_chunk(&mut self.chunks, &piece);
                }
                Poll::Ready(None) => {
                    self.chunks.extend_from_slice(b"0\r\n\r\n");
                    self.is_over = true;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Ready when all chunks have been written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut self.parked.stream);
        while self.written < self.chunks.len() {
            let count = ready!(stream.as_mut().poll_write(cx, &self.chunks[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            (self.written, self.is_flushed) = (self.written + count, false);
        }
        self.written = 0;
        let mut spare = std::mem::take(&mut self.chunks);
        if (1..=2 * FULL).contains(&spare.capacity()) {
            spare.clear();
            SPARE.set(spare);
        }
        if !self.is_flushed {
            ready!(stream.poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// An empty piece is none: its chunk would be the last.
fn write_chunk(out: &mut Vec<u8>, piece: &[u8]) {
    if piece.is_empty() {
        return;
    }
    let digits = piece.len().ilog2() / 4 + 1;
    out.reserve(piece.len() + digits as usize + 4);
    for digit in (0..digits).rev() {
        let value = piece.len() >> (4 * digit) & 0xf;
        out.push(b"0123456789abcdef"[value]);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(piece);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_says_its_length_in_hexadecimal() {
        for length in [1, 9, 15, 16, 17, 255, 256, 4095, 4096, 70_000] {
            let mut out = Vec::new();
            write_chunk(&mut out, &vec![b'x'; length]);
            assert_eq!(out, format!("{length:x}\r\n{}\r\n", "x".repeat(length)).into_bytes());
        }
        let mut out = Vec::new();
        write_chunk(&mut out, b"");
        assert!(out.is_empty());
    }
}
