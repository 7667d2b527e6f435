//! The loop over one connection: frames in, bytes out, and its clocks.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::tcp::Frames;

use super::handle::Core;
use super::ops;
use super::outbox::Written;
use super::socket::TcpSocket;
use crate::access::limits::{Admission, Admitted};

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
            Self::Drained => f.write_str("the server is shutting down"),
        }
    }
}

/// Serves a connection until it ends, and then lets the client have what is still to be said.
pub(super) async fn serve<S>(
    core: Arc<Core>,
    stream: S,
    limits: Admitted,
    stop: CancellationToken,
) -> Ended
where
    S: AsyncRead + AsyncWrite,
{
    core.counters.opened();
    let held = CloseOnDrop(TcpSocket::new(core, limits));
    let socket = &held.0;
    let (mut reader, writer) = tokio::io::split(stream);
    let writing = socket.outbox.write_to(writer);
    tokio::pin!(writing);
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ended::Drained,
        written = &mut writing => return of_writing(written),
        ended = read(socket, &mut reader) => ended,
    };
    socket.close();
    socket.outbox.finish();
    if !matches!(ended, Ended::Lost(_)) {
        let last_words = async {
            writing.await;
            // Closing with bytes unread would take back what the client has not read yet.
            let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    }
    ended
}

fn of_writing(written: Written) -> Ended {
    match written {
        Written::Overflown => Ended::SlowConsumer,
        Written::Failed(error) => Ended::Lost(error),
        Written::Finished => Ended::Drained,
    }
}

/// Reads and carries out envelopes, one after the other, and keeps the time.
async fn read(socket: &Arc<TcpSocket>, reader: &mut (impl AsyncRead + Unpin)) -> Ended {
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
                    if let Err(ended) = ops::handle(socket, &text, admission).await {
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
            if !socket.outbox.is_open() {
                return Ended::SlowConsumer;
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
                if let Some(ended) = clocks.ring(socket, Instant::now()) {
                    return ended;
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
        if now >= self.next_sweep {
            self.next_sweep = now + self.sweep;
        }
        socket.expire(now);
        if socket.rights.expires_at().is_some_and(|expiry| expiry <= now) {
            socket.refuse(Refusal::TokenExpired, None);
            return Some(Ended::TokenExpired);
        }
        if self.paused_until.is_some_and(|end| end <= now) {
            self.paused_until = None;
            self.last_heard = now;
        }
        self.idle_at().is_some_and(|idle| idle <= now).then_some(Ended::Idle)
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
