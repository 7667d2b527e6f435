//! The clocks of one connection: what has to happen even when the client says nothing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trolleybus_protocol::codes::Refusal;

use super::driver::{Ended, clock};
use super::socket::TcpSocket;
use crate::access::limits::Admission;
use crate::bridge::EventKind;

/// When something is due.
pub(super) struct Clocks {
    idle_timeout: Option<Duration>,
    pub(super) last_heard: Instant,
    /// Requests that the client does not answer are looked for this often.
    sweep: Duration,
    next_sweep: Instant,
    /// Until when nothing is read, because the client was faster than it may be.
    paused_until: Option<Instant>,
}

impl Clocks {
    pub(super) fn new(socket: &TcpSocket, now: Instant) -> Self {
        let sweep = socket.core.options.reply_timeout();
        let idle_timeout = socket.core.options.idle_timeout();
        let next_sweep = now + sweep;
        Self { idle_timeout, last_heard: now, sweep, next_sweep, paused_until: None }
    }

    /// What becomes of a frame of so many bytes; none when the connection is over for it.
    pub(super) fn admit(&mut self, socket: &TcpSocket, bytes: usize) -> Option<Admission> {
        let admission = socket.limits.admit_message(bytes, clock);
        match admission {
            Admission::Close => return None,
            Admission::PassThenPause(pause) => self.paused_until = Some(Instant::now() + pause),
            Admission::Pass | Admission::Refuse => {}
        }
        Some(admission)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    /// Who may not speak is not idle.
    fn idle_at(&self) -> Option<Instant> {
        let timeout = self.idle_timeout.filter(|_| !self.is_paused());
        timeout.map(|timeout| self.last_heard + timeout)
    }

    pub(super) fn wake(&self, socket: &TcpSocket) -> Instant {
        let own = [self.idle_at(), self.paused_until];
        let clocks = [socket.next_deadline(), socket.rights.expires_at()].into_iter().chain(own);
        clocks.flatten().fold(self.next_sweep, Instant::min)
    }

    pub(super) fn ring(&mut self, socket: &TcpSocket, now: Instant) -> Option<Ended> {
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

    /// Does `work`, which may have to wait for a hook or an authenticator, while all else goes on, but
    /// for the client's further envelopes. Who is not listened to is not idle.
    pub(super) async fn meanwhile<T>(
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
    pub(super) async fn handle_idle(&mut self, socket: &Arc<TcpSocket>) -> Result<(), Ended> {
        let asking = socket.consents(socket.event(EventKind::Idle));
        if self.meanwhile(socket, asking).await? {
            return Err(Ended::Idle);
        }
        socket.refuse(Refusal::Rejected, None);
        Ok(())
    }
}
