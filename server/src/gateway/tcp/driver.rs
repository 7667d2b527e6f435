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

use super::handle::Core;
use super::hooked;
use super::ops;
use super::outbox::Written;
use super::socket::TcpSocket;
use crate::access::limits::{Admission, Admitted};
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
    let registered = socket.close();
    socket.outbox.finish();
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

/// What has to happen even when the client says nothing.
struct Clocks {
    idle_timeout: Option<Duration>,
    last_heard: Instant,
    /// Requests that the client does not answer are looked for this often.
    sweep: Duration,
    next_sweep: Instant,
    /// Until when nothing is read, because the client was faster than it may be.
    paused_until: Option<Instant>,
}

impl Clocks {
    fn new(socket: &TcpSocket, now: Instant) -> Self {
        let sweep = socket.core.options.reply_timeout();
        let idle_timeout = socket.core.options.idle_timeout();
        let next_sweep = now + sweep;
        Self { idle_timeout, last_heard: now, sweep, next_sweep, paused_until: None }
    }

    /// What becomes of a frame of so many bytes; none when the connection is over for it.
    fn admit(&mut self, socket: &TcpSocket, bytes: usize) -> Option<Admission> {
        let admission = socket.limits.admit_message(bytes, clock);
        match admission {
            Admission::Close => return None,
            Admission::PassThenPause(pause) => self.paused_until = Some(Instant::now() + pause),
            Admission::Pass | Admission::Refuse => {}
        }
        Some(admission)
    }

    fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    /// Who may not speak is not idle.
    fn idle_at(&self) -> Option<Instant> {
        let timeout = self.idle_timeout.filter(|_| !self.is_paused());
        timeout.map(|timeout| self.last_heard + timeout)
    }

    fn wake(&self, socket: &TcpSocket) -> Instant {
        let own = [self.idle_at(), self.paused_until];
        let clocks = [socket.next_deadline(), socket.rights.expires_at()].into_iter().chain(own);
        clocks.flatten().fold(self.next_sweep, Instant::min)
    }

    fn ring(&mut self, socket: &TcpSocket, now: Instant) -> Option<Ended> {
        if let Some(ended) = self.expire(socket, now) {
            return Some(ended);
        }
        if self.paused_until.is_some_and(|end| end <= now) {
            self.paused_until = None;
            self.last_heard = now;
        }
        self.idle_at().is_some_and(|idle| idle <= now).then_some(Ended::Idle)
    }

    /// Deals with what has run out of time, of requests and of the token.
    fn expire(&mut self, socket: &TcpSocket, now: Instant) -> Option<Ended> {
        if now >= self.next_sweep {
            self.next_sweep = now + self.sweep;
        }
        socket.expire(now);
        if socket.rights.expires_at().is_some_and(|expiry| expiry <= now) {
            socket.refuse(Refusal::TokenExpired, None);
            return Some(Ended::TokenExpired);
        }
        None
    }

    /// Does `work`, which may have to wait for a hook or an authenticator, while all else goes on, but for the client's
    /// further envelopes. Who is not listened to is not idle.
    async fn meanwhile<T>(
        &mut self,
        socket: &TcpSocket,
        work: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        let mut work = std::pin::pin!(work);
        loop {
            let times = [socket.next_deadline(), socket.rights.expires_at()].into_iter().flatten();
            tokio::select! {
                biased;
                done = &mut work => {
                    self.last_heard = Instant::now();
                    return Ok(done);
                }
                () = tokio::time::sleep_until(times.fold(self.next_sweep, Instant::min)) => {
                    if let Some(ended) = self.expire(socket, Instant::now()) {
                        return Err(ended);
                    }
                }
            }
        }
    }

    /// Ends an idle connection, unless the hook says no.
    async fn handle_idle(&mut self, socket: &Arc<TcpSocket>) -> Result<(), Ended> {
        let asking = socket.consents(socket.event(EventKind::Idle));
        if self.meanwhile(socket, asking).await? {
            return Err(Ended::Idle);
        }
        socket.refuse(Refusal::Rejected, None);
        Ok(())
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
