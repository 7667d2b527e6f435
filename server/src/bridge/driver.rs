//! The loop over one socket: envelopes in, and the two clocks of a bridge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trolleybus_protocol::codes::Close;

use super::handle::Core;
use super::ops::{self, Handled};
use super::socket::BridgeSocket;
use crate::access::limits::Admission;
use crate::session::Socket;

/// Serves a socket until it is closed, by the client or for want of a ping.
pub(super) async fn serve(core: Arc<Core>, mut socket: Socket) {
    let ip = socket.info().remote_addr().map(|address| address.ip());
    let limits = match core.limits.admit_connection(ip, Instant::now().into_std()) {
        Ok(admitted) => admitted,
        Err(close) => return socket.close(close.code, close.reason),
    };
    let mut liveness = Liveness::new(Instant::now(), core.options.ping_timeout);
    let held = CloseOnDrop(BridgeSocket::new(core, socket.sender(), limits));
    // While the socket is over its rate it is not read.
    let mut paused_until = None;
    let timer = tokio::time::sleep_until(liveness.next_check);
    tokio::pin!(timer);
    loop {
        tokio::select! {
            biased;
            text = socket.recv(), if paused_until.is_none() => {
                let Some(text) = text else { break };
                let admission = held.0.limits.admit_message(text.len(), clock);
                match admission {
                    Admission::Close => {
                        socket.close(Close::RATE_LIMITED.code, Close::RATE_LIMITED.reason);
                        break;
                    }
                    Admission::PassThenPause(pause) => paused_until = Some(Instant::now() + pause),
                    Admission::Pass | Admission::Refuse => {}
                }
                if ops::handle(&held.0, &text, admission) == Handled::Ping {
                    liveness.last_ping = Instant::now();
                }
            }
            () = &mut timer => {
                let now = Instant::now();
                if paused_until.is_some_and(|until| until <= now) {
                    paused_until = None;
                    // Its pings may wait among what was not read.
                    liveness.last_ping = now;
                }
                held.0.expire(now);
                if liveness.is_idle(now) {
                    close_idle(&socket);
                    break;
                }
                timer.as_mut().reset(wake_time(&held.0, &liveness, paused_until));
            }
        }
        let wake = wake_time(&held.0, &liveness, paused_until);
        if wake < timer.deadline() {
            timer.as_mut().reset(wake);
        }
    }
}

fn wake_time(socket: &BridgeSocket, liveness: &Liveness, paused: Option<Instant>) -> Instant {
    let check = liveness.next_check;
    let deadline = socket.next_deadline().map_or(check, |deadline| deadline.min(check));
    paused.map_or(deadline, |until| until.min(deadline))
}

/// The time, as limits are told it.
fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

/// The same close as that of Vert.x, which differs by transport.
fn close_idle(socket: &Socket) {
    tracing::debug!("socket sent no ping in time");
    if socket.info().is_raw() {
        socket.close(1001, "Session expired");
    } else {
        socket.close(Close::GO_AWAY.code, Close::GO_AWAY.reason);
    }
}

/// Looks once in a ping timeout whether a ping came within the last one.
struct Liveness {
    timeout: Duration,
    last_ping: Instant,
    next_check: Instant,
}

impl Liveness {
    fn new(now: Instant, timeout: Duration) -> Self {
        Self { timeout, last_ping: now, next_check: now + timeout }
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        if now < self.next_check {
            return false;
        }
        self.next_check = now + self.timeout;
        now.duration_since(self.last_ping) >= self.timeout
    }
}

/// However the loop ends, nothing of the socket stays on the bus.
struct CloseOnDrop(Arc<BridgeSocket>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_idle_after_one_to_two_ping_timeouts() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut liveness = Liveness::new(start, second);
        assert!(!liveness.is_idle(start + second / 2));
        liveness.last_ping = start + second / 2;
        assert!(!liveness.is_idle(start + second));
        assert!(!liveness.is_idle(start + second * 3 / 2));
        assert!(liveness.is_idle(start + 2 * second));
    }
}
