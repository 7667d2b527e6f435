//! A stream with bytes to be read first, which knows whether a write waits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether what was to be written last could not be.
#[derive(Debug, Default)]
pub(super) struct Backlog(AtomicBool);

impl Backlog {
    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Only the task of the stream writes, and asks.
    fn note(&self, is_there: bool) {
        if self.is_there() != is_there {
            self.0.store(is_there, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
pub(super) struct Rewind<S> {
    first: Bytes,
    stream: S,
    backlog: Arc<Backlog>,
}

impl<S> Rewind<S> {
    pub(super) fn new(stream: S, backlog: Arc<Backlog>) -> Self {
        Self { first: Bytes::new(), stream, backlog }
    }

    /// The pieces are read before anything else, and so before what is left of earlier ones.
    pub(super) fn rewind(&mut self, pieces: [&[u8]; 2]) {
        let [one, two] = pieces;
        self.first = [one, two, &self.first].concat().into();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewind<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let taken = self.first.len().min(buf.remaining());
        buf.put_slice(&self.first[..taken]);
        self.first.advance(taken);
        if self.first.is_empty() {
            // An empty part of a buffer would keep the whole.
            self.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewind<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, data);
        self.backlog.note(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.backlog.note(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_put_back_is_read_first() {
        let (mut far, near) = tokio::io::duplex(64);
        let mut near = Rewind::new(near, Arc::default());
        far.write_all(b"second").await.unwrap();
        near.rewind([b"first, ", b"then "]);
        let mut text = [0; 3];
        near.read_exact(&mut text).await.unwrap();
        near.rewind([b"", &text]);
        let mut text = [0; 18];
        near.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"first, then second");
    }

    #[tokio::test]
    async fn a_write_that_waits_is_known() {
        let (mut far, near) = tokio::io::duplex(4);
        let backlog = Arc::<Backlog>::default();
        let mut near = Rewind::new(near, Arc::clone(&backlog));
        near.write_all(b"four").await.unwrap();
        assert!(!backlog.is_there());
        let mut waits = std::pin::pin!(near.write_all(b"more"));
        assert!(futures_util::poll!(waits.as_mut()).is_pending() && backlog.is_there());
        let mut text = [0; 8];
        let (written, read) = tokio::join!(waits, far.read_exact(&mut text));
        written.and(read.map(drop)).unwrap();
        assert!(!backlog.is_there());
    }
}
