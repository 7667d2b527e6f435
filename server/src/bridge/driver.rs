//! The loop over one socket: envelopes in, and the two clocks of a bridge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trolleybus_protocol::codes::Close;

use super::handle::Core;
use super::ops::{self, Handled};
use super::socket::BridgeSocket;
use crate::session::Socket;

/// Serves a socket until it is closed, by the client or for want of a ping.
pub(super) async fn serve(core: Arc<Core>, mut socket: Socket) {
    let mut liveness = Liveness::new(Instant::now(), core.options.ping_timeout);
    let held = CloseOnDrop(BridgeSocket::new(core, socket.sender()));
    let timer = tokio::time::sleep_until(liveness.next_check);
    tokio::pin!(timer);
    loop {
        tokio::select! {
            biased;
            text = socket.recv() => {
                let Some(text) = text else { break };
                if ops::handle(&held.0, &text) == Handled::Ping {
                    liveness.last_ping = Instant::now();
                }
            }
            () = &mut timer => {
                let now = Instant::now();
                held.0.expire(now);
                if liveness.is_idle(now) {
                    close_idle(&socket);
                    break;
                }
                timer.as_mut().reset(wake_time(&held.0, &liveness));
            }
        }
        let wake = wake_time(&held.0, &liveness);
        if wake < timer.deadline() {
            timer.as_mut().reset(wake);
        }
    }
}

fn wake_time(socket: &BridgeSocket, liveness: &Liveness) -> Instant {
    let deadline = socket.next_deadline();
    deadline.map_or(liveness.next_check, |deadline| deadline.min(liveness.next_check))
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
