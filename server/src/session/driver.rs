//! The task of one HTTP session: it runs the service and watches the clock.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use trolleybus_protocol::sockjs::CloseReason;

use super::life::{Attach, Life};
use super::{Link, Options, Registration, Table};

/// A session over HTTP requests.
#[derive(Debug)]
pub(crate) struct Session {
    id: Box<str>,
    link: Arc<Link>,
    life: Mutex<Life>,
    changed: Notify,
    options: Arc<Options>,
}

impl Session {
    pub(crate) fn new(id: &str, link: Arc<Link>, options: Arc<Options>) -> Self {
        let life = Life::new(options.disconnect_delay, Instant::now());
        Self {
            id: id.into(),
            link,
            life: Mutex::new(life),
            changed: Notify::new(),
            options,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.life.lock().is_gone()
    }

    pub(super) fn attach(&self) -> Attach {
        self.life.lock().attach()
    }

    pub(super) fn handle_ended(&self) {
        let tell = self.life.lock().handle_ended(Instant::now());
        if tell {
            self.changed.notify_one();
        }
    }

    pub(super) fn handle_lost(&self) {
        self.life.lock().handle_lost();
        self.changed.notify_one();
    }

    /// Runs until the session is forgotten and the service has returned.
    pub(crate) async fn run<F: Future<Output = ()>>(
        self: Arc<Self>,
        table: Arc<Table>,
        registration: Registration,
        handler: F,
    ) {
        let transport = self.link.info().transport();
        tracing::debug!(%transport, "session opened");
        let mut handler = pin!(guarded(handler));
        let returned = tokio::select! {
            result = &mut handler => {
                finish_handler(&self.link, result);
                self.wait_until_gone().await;
                true
            }
            () = self.wait_until_gone() => false,
        };
        self.link.lose();
        table.remove(&self);
        tracing::debug!(%transport, "session forgotten");
        if !returned {
            handler.await.ok();
        }
        drop(registration);
    }

    async fn wait_until_gone(&self) {
        while !self.is_gone() {
            let deadline = self.life.lock().poll_timeout();
            let Some(deadline) = deadline else {
                self.changed.notified().await;
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep_until(deadline.into()) => {
                    self.life.lock().handle_timeout(Instant::now());
                }
                () = self.changed.notified() => {}
            }
        }
    }
}

/// The service's future; a panic in it ends this socket only.
pub(crate) fn guarded<F: Future<Output = ()>>(
    handler: F,
) -> impl Future<Output = Result<(), Panicked>> {
    AssertUnwindSafe(handler)
        .catch_unwind()
        .map(|result| result.map_err(|_| Panicked))
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Panicked;

/// Closes the socket once the service has returned, or has failed.
pub(crate) fn finish_handler(link: &Link, result: Result<(), Panicked>) {
    let CloseReason { code, text } = match result {
        Ok(()) => CloseReason::NORMAL,
        Err(Panicked) => {
            tracing::error!(transport = %link.info().transport(), "a socket's handler panicked");
            CloseReason::INTERNAL
        }
    };
    link.close(code, text);
}
