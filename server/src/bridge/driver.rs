//! The loop over one socket: envelopes in, messages past the hook, and the clock.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use trolleybus_protocol::Address;
use trolleybus_protocol::codes::{Close, Refusal};

use super::caller::Caller;
use super::clock::{Clock, Due};
use super::core::Core;
use super::farewell;
use super::hooks::{self, Client, Decision, EventKind};
use super::ops;
use super::socket::BridgeSocket;
use super::sockets::SocketHandle;
use crate::access::limits::Admission;
use crate::session::Socket;

type Receiving = Option<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// A timer that nothing is asked of has to stand somewhere.
const LONG: Duration = Duration::from_secs(3600);

/// Serves a socket until it is closed, by the client or by the bridge.
pub(super) async fn serve(core: Arc<Core>, mut socket: Socket) {
    let ip = socket.info().remote_addr().map(|address| address.ip());
    let limits = match core.limits.admit_connection(ip, clock()) {
        Ok(admitted) => admitted,
        Err(close) => return socket.close(close.code, close.reason),
    };
    let held = CloseOnDrop(BridgeSocket::open(core, &socket, limits));
    let timer = std::pin::pin!(tokio::time::sleep(held.0.core.options.ping_timeout));
    let mut caller = Caller::new(Arc::clone(&held.0));
    let mut beside = Beside::new(&held.0, timer);
    if caller.has_to_be_let_in()
        && !Box::pin(beside.meanwhile(caller.enter())).await.unwrap_or_default()
    {
        return;
    }
    beside.start(&caller);
    while !held.0.is_barred() {
        tokio::select! {
            biased;
            () = poll(&mut beside.receiving), if beside.receiving.is_some() => {}
            text = socket.recv(), if !beside.clock.is_paused() => {
                let Some(text) = text else { break };
                let Some(admission) = beside.admit(text.len()) else { break };
                beside.has_news = true;
                let took_time = {
                    let handled = ops::handle(&mut caller, &text, admission);
                    if handled.is_ping {
                        beside.clock.handle_ping(Instant::now());
                    }
                    match handled.later {
                        Some(work) => Box::pin(beside.meanwhile(work)).await.is_some(),
                        None => false,
                    }
                };
                if took_time {
                    caller.forget_time();
                    beside.note_login(&caller);
                }
            }
            () = poll_fn(|cx| {
                if std::mem::take(&mut beside.has_news) {
                    caller.forget_time();
                    bring_forward(beside.timer.as_mut(), beside.socket, &beside.clock);
                }
                beside.timer.as_mut().poll(cx)
            }) => {
                if beside.handle_timeout() == Due::Idle {
                    Box::pin(beside.handle_idle(&caller, &socket)).await;
                }
                let wake = beside.wake_time();
                beside.timer.as_mut().reset(wake);
            }
        }
    }
    // Freed before the hook is told that the socket is gone.
    drop(beside);
    if held.0.core.hook.is_some() {
        Box::pin(farewell::say(&caller)).await;
    }
}

/// The time, as limits are told it.
fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

/// What goes on beside the client's envelopes.
struct Beside<'a> {
    socket: &'a Arc<BridgeSocket>,
    clock: Clock,
    timer: Pin<&'a mut Sleep>,
    /// Envelopes were looked at since the timer was. It is, once for all that came in together, when
    /// none of them is left.
    has_news: bool,
    /// Messages to the client on their way past the hook; never ends.
    receiving: Receiving,
}

impl<'a> Beside<'a> {
    fn new(socket: &'a Arc<BridgeSocket>, timer: Pin<&'a mut Sleep>) -> Self {
        let clock = Clock::new(Instant::now(), socket.core.options.ping_timeout);
        let receiving = socket.hook_queue.is_some();
        let receiving = receiving.then(|| Box::pin(past_hook(Arc::clone(socket))) as _);
        Self { socket, clock, timer, has_news: false, receiving }
    }

    /// What becomes of an envelope of so many bytes; none when the socket was closed over it.
    fn admit(&mut self, bytes: usize) -> Option<Admission> {
        let admission = self.socket.limits.admit_message(bytes, clock);
        match admission {
            Admission::Close => {
                self.socket.close_with(Close::RATE_LIMITED);
                return None;
            }
            Admission::PassThenPause(pause) => self.clock.pause(Instant::now() + pause),
            Admission::Pass | Admission::Refuse => {}
        }
        Some(admission)
    }

    /// The client may speak from now on, and is not blamed for the time before.
    fn start(&mut self, caller: &Caller) {
        let now = Instant::now();
        self.clock = Clock::new(now, self.socket.core.options.ping_timeout);
        let authentication = self.socket.core.authentication.as_ref();
        if let Some(authentication) = authentication.filter(|_| caller.has_to_log_in) {
            self.clock.expect_login(Some(now + authentication.time_to_log_in()));
        }
        self.note_login(caller);
        let wake = self.wake_time();
        self.timer.as_mut().reset(wake);
    }

    /// Takes over how long the client's token holds.
    fn note_login(&mut self, caller: &Caller) {
        if self.socket.core.authentication.is_none() || caller.has_to_log_in {
            return;
        }
        let principal = self.socket.rights.principal();
        self.clock.expect_login(None);
        let until = principal.and_then(|principal| principal.expires_at());
        self.clock.expire_at(Instant::now(), until);
    }

    fn wake_time(&self) -> Instant {
        wake_time(self.socket, &self.clock)
    }

    /// What is due, of which all but idleness is done here.
    fn handle_timeout(&mut self) -> Due {
        let now = Instant::now();
        self.socket.expire(now);
        let due = self.clock.handle_timeout(now);
        match due {
            Due::Expired => self.socket.close_with(Close::TOKEN_EXPIRED),
            Due::NotLoggedIn => self.socket.close_with(Close::UNAUTHORIZED),
            Due::Idle | Due::Nothing => {}
        }
        due
    }

    /// Does `work` while all else goes on, but for the client's further envelopes. None when the
    /// token expired over it.
    ///
    /// Pings may be among the envelopes that wait, and a login may be what the work is, so neither
    /// is looked for meanwhile.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut work => break done,
                () = poll(&mut self.receiving), if self.receiving.is_some() => {}
                () = &mut self.timer => {
                    let now = Instant::now();
                    self.socket.expire(now);
                    if self.clock.has_expired(now) {
                        self.socket.close_with(Close::TOKEN_EXPIRED);
                        return None;
                    }
                    let times = [self.socket.next_deadline(), self.clock.expires()];
                    let next = times.into_iter().flatten().min();
                    self.timer.as_mut().reset(next.unwrap_or(now + LONG));
                }
            }
        };
        let wake = self.wake_time();
        self.timer.as_mut().reset(wake);
        Some(done)
    }

    /// Closes the socket, unless the hook says no.
    async fn handle_idle(&mut self, caller: &Caller, socket: &Socket) {
        let asking = caller.decide(caller.event(EventKind::Idle));
        match self.meanwhile(asking).await {
            Some(Decision::Reject | Decision::Answer(_)) => {
                self.socket.refuse(Refusal::Rejected, None, &Address::default());
            }
            Some(Decision::Accept | Decision::Changed(_)) => close_idle(self.socket, socket),
            None => {}
        }
    }
}

/// The same close as that of Vert.x, which differs by transport.
fn close_idle(held: &BridgeSocket, socket: &Socket) {
    if socket.info().is_raw() {
        held.close_as(1001, "Session expired");
    } else {
        held.close_with(Close::GO_AWAY);
    }
}

/// When something is due, of the socket's requests or of the clock.
fn wake_time(socket: &BridgeSocket, clock: &Clock) -> Instant {
    socket.next_deadline().map_or(clock.next(), |deadline| deadline.min(clock.next()))
}

/// Lets the timer go off earlier if something is due earlier.
fn bring_forward(timer: Pin<&mut Sleep>, socket: &BridgeSocket, clock: &Clock) {
    let wake = wake_time(socket, clock);
    if wake < timer.deadline() {
        timer.reset(wake);
    }
}

/// Sends what the hook lets pass. Never ends.
async fn past_hook(socket: Arc<BridgeSocket>) {
    let (Some(hook), Some(queue)) = (&socket.core.hook, &socket.hook_queue) else {
        return std::future::pending().await;
    };
    let client = Client::of_socket(SocketHandle::new(Arc::clone(&socket)));
    match hooks::drain(&*socket, client, hook, queue).await {}
}

async fn poll(future: &mut Receiving) {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// However the loop ends, nothing of the socket stays on the bus.
struct CloseOnDrop(Arc<BridgeSocket>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_of_a_socket_stays_small() {
        fn size_of_output<T>(_: impl FnOnce(Arc<Core>, Socket) -> T) -> usize {
            size_of::<T>()
        }
        let size = size_of_output(serve);
        assert!(size <= 512, "{size}");
    }
}
