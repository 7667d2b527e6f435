//! The task of one HTTP session: it runs the service and watches the clock.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::life::{Attach, Life, Times};
use super::{Apart, Handler, Link, Options, Registration, Table};

/// A session over HTTP requests.
#[derive(Debug)]
pub(crate) struct Session {
    id: Box<str>,
    link: Arc<Link>,
    life: Mutex<Life>,
    changed: Notify,
    /// The receiver is to tell the client that we are there.
    owes_heartbeat: AtomicBool,
    /// One, for the upload whose turn it is; fair, so the others go in the order of their arrival.
    turn: Semaphore,
}

impl Session {
    pub(crate) fn new(id: &str, link: Arc<Link>, options: &Options) -> Self {
        let times = Times {
            heartbeat_interval: options.heartbeat_interval,
            disconnect_delay: options.disconnect_delay,
            close_timeout: options.close_timeout,
        };
        let (life, changed) = (Mutex::new(Life::new(times, now())), Notify::new());
        let (owes_heartbeat, turn) = (AtomicBool::default(), Semaphore::new(1));
        Self { id: id.into(), link, life, changed, owes_heartbeat, turn }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.life.lock().is_gone()
    }

    /// Waits until all uploads that came before are through.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turn.acquire().await.ok()
    }

    /// The same for one that does not wait: only if none came before.
    pub(crate) fn try_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turn.try_acquire().ok()
    }

    pub(super) fn attach(&self) -> Attach {
        self.change(|life| life.attach(now()))
    }

    pub(super) fn handle_ended(&self) {
        self.owes_heartbeat.store(false, Relaxed);
        self.change(|life| life.handle_ended(now()));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Life) -> T) -> T {
        let mut life = self.life.lock();
        let outcome = change(&mut life);
        let tell = life.is_ahead_of_driver();
        drop(life);
        if tell {
            self.changed.notify_one();
        }
        outcome
    }

    /// For the receiver; it is woken when there is one.
    pub(super) fn take_heartbeat(&self) -> bool {
        self.owes_heartbeat.load(Relaxed) && self.owes_heartbeat.swap(false, Relaxed)
    }

    pub(super) fn handle_lost(&self) {
        self.life.lock().handle_lost();
        self.changed.notify_one();
    }

    /// Runs until the session is forgotten and the service has returned.
    pub(crate) async fn run(
        self: Arc<Self>,
        table: Arc<Table>,
        registration: Registration,
        mut handler: Handler,
    ) {
        let (socket, transport) = (self.link.info().id(), self.link.info().transport());
        tracing::debug!(socket, %transport, "socket opened");
        self.run_until_gone(&mut handler, registration.draining()).await;
        self.link.lose();
        table.remove(&self);
        tracing::debug!(socket, %transport, "socket gone");
        poll_fn(|cx| handler.poll(&self.link, cx)).await;
        drop(registration);
    }

    async fn run_until_gone(&self, handler: &mut Handler, draining: &CancellationToken) {
        let (mut gone, mut apart) = (pin!(self.wait_until_gone(draining)), Apart::default());
        poll_fn(|cx| {
            let _ = handler.poll(&self.link, cx);
            apart.poll(cx, |cx| gone.as_mut().poll(cx))
        })
        .await;
    }

    fn handle_timeout(&self) {
        let is_heartbeat_due = self.life.lock().handle_timeout(now());
        if is_heartbeat_due {
            self.owes_heartbeat.store(true, Relaxed);
            self.link.wake_receiver();
        }
    }

    async fn wait_until_gone(&self, draining: &CancellationToken) {
        let (mut is_closing, mut is_draining) = (false, false);
        let mut draining = pin!(draining.cancelled());
        while !self.is_gone() {
            let deadline = self.life.lock().poll_timeout();
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(deadline) => self.handle_timeout(),
                // Sessions that nobody has told yet wait for their turn.
                () = draining.as_mut(), if is_closing && !is_draining => {
                    is_draining = true;
                    self.life.lock().handle_drain(now());
                }
                _ = poll_fn(|cx| self.link.poll_closing(cx)), if !is_closing => {
                    is_closing = true;
                    self.life.lock().handle_close(now());
                }
            }
        }
    }
}

/// The clock that tokio's timers go by, which tests may stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
