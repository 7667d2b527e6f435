//! The byte stream under a WebSocket: reads much at a time, keeps little.
//!
//! An idle connection should hold a small buffer, a busy one should need one system call for a
//! whole batch of frames. So reads go into a large buffer that all connections of a thread share, and
//! only what the codec cannot take at once is kept, until it has.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of one read.
const SCRATCH: usize = 32 * 1024;

thread_local! {
    static SHARED: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// An upgraded connection.
#[derive(Debug)]
pub(super) struct Stream {
    io: TokioIo<Upgraded>,
    /// Read, and not yet taken.
    rest: Bytes,
}

impl Stream {
    pub(super) fn new(upgraded: Upgraded) -> Self {
        Self { io: TokioIo::new(upgraded), rest: Bytes::new() }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { io, rest } = self;
        SHARED.with_borrow_mut(|shared| {
            let mut large = ReadBuf::new(shared);
            ready!(Pin::new(io).poll_read(cx, &mut large))?;
            let filled = large.filled();
            let (taken, kept) = filled.split_at(filled.len().min(buf.remaining()));
            buf.put_slice(taken);
            if !kept.is_empty() {
                *rest = Bytes::copy_from_slice(kept);
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            return self.poll_fill(cx, buf);
        }
        let taken = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest[..taken]);
        self.rest.advance(taken);
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
