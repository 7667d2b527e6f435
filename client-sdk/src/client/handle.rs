//! The client: a cheap clone that all parts of an application hold.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Message;
use super::consumer::{Consumer, Registration, matcher};
use super::hub::{AnySink, Hub};
use super::shared::{Ref, Shared};
use super::watch::{Errors, Opened, States};
use crate::core::Connection;
use crate::driver::{self, Driver};
use crate::{Address, ConsumerOptions, MaybeSend, Options, State, Transport};

/// One connection to a bus; clones are handles of the same connection.
///
/// It connects in the background and keeps connected. Consumers may be added, and messages sent,
/// at any time: messages wait in a bounded outbox until the connection stands. It ends when
/// [`Client::close`] is called, or when the last handle is dropped; [`Consumer`]s,
/// [`Registration`]s and pending [`Response`](crate::Response)s are handles too, [`Message`]s and
/// watchers are not.
///
/// ```no_run
/// use trolleybus_client::{Client, EventBus};
///
/// # async fn example() -> Result<(), trolleybus_client::Error> {
/// let bus = Client::connect("https://example.org/eventbus");
/// bus.opened().await?;
/// bus.publish("news", "goal")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(super) handle: Ref<Handle>,
}

/// What ends the connection when nobody holds it any more.
pub(crate) struct Handle {
    pub(super) hub: Shared<Hub>,
    pub(super) driver: Driver,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.hub.lock().core.close();
        self.driver.kick();
    }
}

impl Client {
    /// Connects to the bridge at `url` with the default options.
    ///
    /// `url` is that of the bridge, such as `https://example.org/eventbus`; `ws` and `wss` mean
    /// the same, and in a browser it may be relative to the page. A query goes with every request.
    /// A URL that cannot be one leaves the client in [`State::Closed`].
    ///
    /// # Panics
    /// Natively when called outside of a tokio runtime.
    #[must_use]
    pub fn connect(url: &str) -> Self {
        Self::with_options(url, Options::default())
    }

    /// Connects to the bridge at `url`.
    ///
    /// # Panics
    /// As [`Client::connect`].
    #[must_use]
    pub fn with_options(url: &str, options: Options) -> Self {
        let url = driver::absolute(url);
        let core = Connection::new(&url, options, driver::seed(), driver::now());
        let hub = Shared::new(Hub::new(core));
        let driver = Driver::start(hub.clone());
        let handle = Ref::new(Handle { hub, driver });
        handle.hub.lock().handle = Ref::downgrade(&handle);
        Self { handle }
    }

    /// Where the connection stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.handle.hub.lock().core.state().clone()
    }

    /// A stream of states: first the present one, then each change. A slow reader sees the latest
    /// state, not every one on the way. It ends after [`State::Closed`].
    pub fn states(&self) -> States {
        States::new(self.handle.hub.clone())
    }

    /// A stream of errors that belong to no request, such as a refused registration. The latest
    /// 100 are kept for a slow reader. It ends when the client is closed.
    pub fn errors(&self) -> Errors {
        Errors::new(self.handle.hub.clone())
    }

    /// Resolves as soon as the connection stands.
    ///
    /// # Errors
    /// `Closed` when the client is closed for good. While attempts go on it waits.
    ///
    /// # Cancel safety
    /// It can be dropped and asked for again.
    pub fn opened(&self) -> Opened {
        Opened::new(self.handle.hub.clone())
    }

    /// Consumes an address with a callback, for as long as the registration is held. Messages come
    /// one at a time and in order; natively the callback runs in the connection's task, so it must
    /// not block, and where it panics that message counts as taken. A callback that holds a clone
    /// of the client keeps it alive, until the registration is dropped or the client closed.
    ///
    /// ```no_run
    /// use trolleybus_client::{BusMessage, Client};
    ///
    /// # fn example(bus: &Client) {
    /// // Held for as long as messages are wanted.
    /// let _shouts = bus.consumer_fn("shouts", |shout| {
    ///     // Fails when who shouted is gone.
    ///     let _ = shout.reply("heard");
    /// });
    /// # }
    /// ```
    pub fn consumer_fn(
        &self,
        address: impl Into<Address>,
        callback: impl FnMut(Message) + MaybeSend + 'static,
    ) -> Registration {
        self.consumer_fn_with(address, &ConsumerOptions::default(), callback)
    }

    /// As [`Client::consumer_fn`], with options; nothing is buffered for a callback. A pattern
    /// that is none is refused by the server.
    pub fn consumer_fn_with(
        &self,
        address: impl Into<Address>,
        options: &ConsumerOptions,
        callback: impl FnMut(Message) + MaybeSend + 'static,
    ) -> Registration {
        let mut callback = callback;
        let take = move |message: Message| {
            if let Some(message) = message.received() {
                guarded(|| callback(message));
            }
        };
        let (sink, address): (AnySink, _) = (Shared::new(Box::new(take)), address.into());
        let matcher = matcher(&address, options).ok().flatten();
        Registration::new(&self.handle, &address, options, matcher, sink)
    }

    /// Uses these transports from now on, in this order, and connects anew with them at once.
    /// Registrations go along; requests under way fail with `ConnectionLost`.
    pub fn use_transports(&self, transports: impl IntoIterator<Item = Transport>) {
        let transports = transports.into_iter().collect();
        self.reconnect_with(Some(transports));
    }

    /// Drops the present connection and connects anew at once.
    pub fn reconnect(&self) {
        self.reconnect_with(None);
    }

    /// Ends the connection for good. Requests under way fail with `Closed` and consumers end. What
    /// waits in the outbox is sent first while the connection stands, and dropped otherwise.
    pub fn close(&self) {
        self.handle.hub.lock().core.close();
        self.handle.driver.kick();
    }

    pub(super) fn stream(&self, address: &Address, options: &ConsumerOptions) -> Consumer {
        Consumer::new(&self.handle, address, options)
    }

    fn reconnect_with(&self, transports: Option<Vec<Transport>>) {
        let now = driver::now();
        self.handle.hub.lock().core.reconnect(now, transports);
        self.handle.driver.kick();
    }
}

/// Calls the application; a panic of its own ends neither the connection nor other consumers.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn guarded(call: impl FnOnce()) {
    // The panic has been reported by the hook for panics.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
}

/// In a browser a panic ends the program.
#[cfg(target_arch = "wasm32")]
pub(super) fn guarded(call: impl FnOnce()) {
    call();
}

/// Handles are equal when they are of the same connection, so that a user interface sees when it
/// was given another one.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Ref::ptr_eq(&self.handle, &other.handle)
    }
}

impl Eq for Client {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}
