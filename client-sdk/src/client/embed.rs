//! For an API in another language, as the npm package is: the machine's commands, and callbacks
//! in place of streams and futures. It may change in any version.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::fmt;

use trolleybus_protocol::{Address, ByteString, ConsumerOptions, Error};

use super::consumer::Registration;
use super::handle::Client;
use super::hub::AnySink;
use super::message::Message;
use super::shared::Shared;
use crate::core::{Connection, Delivery, RequestId};
use crate::driver;
use crate::token::TokenSource;
use crate::{Options, State};

pub use crate::core::Table;

/// What an observer is told.
#[derive(Debug)]
pub enum Notice {
    /// The connection stands otherwise than before.
    State(State),
    /// What the server said to a registration.
    Registered {
        /// The address, or the pattern.
        address: Address,
        /// Whether it is a pattern.
        is_pattern: bool,
        /// Whether it stands.
        result: Result<(), Error>,
    },
    /// An error that belongs to no request.
    Error(Error),
    /// A command was refused with `Overflow`, and messages have left since: it may be given again.
    Room,
    /// An envelope that no rule covers.
    Unhandled(ByteString),
}

pub(super) type Observer = Rc<dyn Fn(Notice)>;

/// What an application holds of its connection.
#[derive(Clone)]
pub struct Embedded(Client);

/// Options that ask for a token by calling `ask`; [`Connection::handle_token`] takes it.
#[must_use]
pub fn with_token(mut options: Options, ask: impl Fn() + 'static) -> Options {
    options.token = Some(TokenSource(Rc::new(move |_| ask())));
    options
}

impl Embedded {
    /// Tells `observer` of every state, error and unknown envelope instead of the streams.
    pub fn new(client: Client, observer: impl Fn(Notice) + 'static) -> Self {
        client.handle.hub.lock().observer = Some(Rc::new(observer));
        Self(client)
    }

    /// Gives the machine a command, with the time.
    pub fn command<T>(&self, command: impl FnOnce(&mut Connection, u64) -> T) -> T {
        let result = command(&mut self.0.handle.hub.lock().core, driver::now());
        self.0.handle.driver.kick();
        result
    }

    /// As [`Client::consumer_fn_with`]; of a pattern only what comes from the server.
    pub fn register(
        &self,
        address: &Address,
        options: &ConsumerOptions,
        callback: impl FnMut(Delivery) + 'static,
    ) -> Registration {
        let mut callback = callback;
        let take = move |message: Message| callback(message.delivery);
        let sink: AnySink = Shared::new(Box::new(take));
        Registration::new(&self.0.handle, address, options, None, sink)
    }

    /// `done` is called when the request ends.
    pub fn wait(
        &self,
        RequestId(id): RequestId,
        done: impl FnOnce(Result<Delivery, Error>) + 'static,
    ) {
        let waiters = &mut self.0.handle.hub.lock().waiters;
        waiters.set(id, Box::new(|result| done(result.map(|message| message.delivery))));
    }
}

impl Embedded {
    /// Gives a request up: `done` is not called. It is not sent when it has not left yet.
    pub fn cancel(&self, request: RequestId) {
        let mut hub = self.0.handle.hub.lock();
        hub.core.cancel(request);
        let waiter = hub.waiters.remove(request.0);
        drop(hub);
        self.0.handle.driver.kick();
        drop(waiter);
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}
