//! The loop over one connection: frames in, bytes out, and its clocks.

use std::convert::identity;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trolleybus_protocol::Address;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::tcp::Frames;

use super::clocks::Clocks;
use super::handle::Core;
use super::hooked;
use super::ops;
use super::outbox::Written;
use super::socket::TcpSocket;
use crate::access::limits::Admitted;
use crate::bridge::EventKind;

/// Room made before each read.
const READ: usize = 8 * 1024;

/// Time that the last words to a client, and its own end of the stream, may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    ByClient,
    Lost(io::Error),
    InvalidFrameLength,
    Idle,
    TokenExpired,
    SlowConsumer,
    RateLimited,
    TooManyConnections,
    /// The hook did not let the client in.
    Rejected,
    /// A hook closed it.
    ByApplication,
    Drained,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByClient => f.write_str("the client ended it"),
            Self::Lost(error) => write!(f, "it was lost: {error}"),
            Self::InvalidFrameLength => f.write_str("a frame had an impossible length"),
            Self::Idle => f.write_str("nothing came within the idle timeout"),
            Self::TokenExpired => f.write_str("the token expired"),
            Self::SlowConsumer => f.write_str("the client reads too slowly"),
            Self::RateLimited => f.write_str("the client went on although it was over a rate"),
            Self::TooManyConnections => f.write_str("the user has too many connections"),
            Self::Rejected => f.write_str("the hook rejected it"),
            Self::ByApplication => f.write_str("the application closed it"),
            Self::Drained => f.write_str("the server is shutting down"),
        }
    }
}

/// Serves a connection until it ends, and then lets the client have what is still to be said.
pub(super) async fn serve<S>(
    core: Arc<Core>,
    stream: S,
    peer: SocketAddr,
    limits: Admitted,
    stop: CancellationToken,
) -> Ended
where
    S: AsyncRead + AsyncWrite,
{
    let number = core.counters.opened();
    let held = CloseOnDrop(TcpSocket::new(core, number, peer, limits));
    let (ended, registered) = talk(&held.0, stream, stop).await;
    if held.0.core.hook.is_some() {
        Box::pin(hooked::say_farewell(&held.0, registered, &ended)).await;
    }
    ended
}

/// All that goes over the stream. Gives why it ended, and what was registered then.
async fn talk<S>(
    socket: &Arc<TcpSocket>,
    stream: S,
    stop: CancellationToken,
) -> (Ended, Vec<Address>)
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, writer) = tokio::io::split(stream);
    let writing = socket.outbox.write_to(writer);
    tokio::pin!(writing);
    let mut is_written = false;
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ended::Drained,
        written = &mut writing => {
            is_written = true;
            of_writing(written)
        }
        ended = converse(socket, &mut reader) => ended,
    };
    socket.outbox.finish();
    let registered = socket.close();
    if !matches!(ended, Ended::Lost(_) | Ended::SlowConsumer) {
        let last_words = async {
            if !is_written {
                writing.await;
            }
            // Closing with bytes unread would take back what the client has not read yet.
            let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    }
    (ended, registered)
}

fn of_writing(written: Written) -> Ended {
    match written {
        Written::Overflown => Ended::SlowConsumer,
        Written::Failed(error) => Ended::Lost(error),
        Written::Finished => Ended::ByApplication,
    }
}

async fn converse(socket: &Arc<TcpSocket>, reader: &mut (impl AsyncRead + Unpin)) -> Ended {
    if socket.core.hook.is_some() {
        Box::pin(hooked::converse(socket, reader)).await
    } else {
        read(socket, reader).await
    }
}

/// Reads and carries out envelopes, one after the other, and keeps the time.
pub(super) async fn read(socket: &Arc<TcpSocket>, reader: &mut (impl AsyncRead + Unpin)) -> Ended {
    let mut frames = Frames::new(socket.core.options.max_frame_size);
    let mut clocks = Clocks::new(socket, Instant::now());
    loop {
        while !clocks.is_paused() {
            match frames.next_frame() {
                Ok(Some(text)) => {
                    socket.core.counters.received(text.len());
                    let Some(admission) = clocks.admit(socket, text.len()) else {
                        socket.refuse(Refusal::RateLimited, None);
                        return Ended::RateLimited;
                    };
                    let handled = match ops::handle(socket, &text, admission) {
                        Ok(Some(later)) => clocks.meanwhile(socket, later).await.and_then(identity),
                        Ok(None) => Ok(()),
                        Err(ended) => Err(ended),
                    };
                    if let Err(ended) = handled {
                        return ended;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "connection is out of step");
                    socket.refuse(Refusal::InvalidFrameLength, None);
                    return Ended::InvalidFrameLength;
                }
            }
            if let Some(ended) = socket.ending() {
                return ended;
            }
        }
        frames.buffer().reserve(READ);
        tokio::select! {
            read = reader.read_buf(frames.buffer()), if !clocks.is_paused() => match read {
                Ok(0) => return Ended::ByClient,
                Ok(_) => clocks.last_heard = Instant::now(),
                Err(error) => return Ended::Lost(error),
            },
            () = tokio::time::sleep_until(clocks.wake(socket)) => {
                match clocks.ring(socket, Instant::now()) {
                    Some(Ended::Idle) if socket.is_watched(EventKind::Idle) => {
                        if let Err(ended) = Box::pin(clocks.handle_idle(socket)).await {
                            return ended;
                        }
                    }
                    Some(ended) => return ended,
                    None => {}
                }
            }
        }
    }
}

/// The time, as limits are told it.
pub(super) fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

/// However the loop ends, nothing of the connection stays on the bus.
struct CloseOnDrop(Arc<TcpSocket>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
        self.0.core.counters.closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_of_a_connection_stays_small() {
        fn size_of_output<T>(
            _: impl FnOnce(
                Arc<Core>,
                tokio::net::TcpStream,
                SocketAddr,
                Admitted,
                CancellationToken,
            ) -> T,
        ) -> usize {
            size_of::<T>()
        }
        let size = size_of_output(serve);
        assert!(size <= 1024, "{size}");
    }
}
