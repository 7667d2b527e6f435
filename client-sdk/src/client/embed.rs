//! For an API in another language, as the npm package is: the machine's commands, and one observer
//! in place of streams and futures. That language takes frames and envelopes apart by itself, so
//! that the scanner of JSON stays out of the download. It may change in any version.

use alloc::rc::Rc;
use core::fmt;

use trolleybus_protocol::{Address, ConsumerOptions, Error};

use super::shared::Shared;
use crate::core::{Connection, ConsumerId, Delivery, Event, Overlap, RequestId};
use crate::driver::{self, Driver, Host};
use crate::token::TokenSource;
use crate::{Options, State};

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
    /// A message of this client for one of its own consumers.
    Message(ConsumerId, Delivery),
    /// A request ended without the server's reply: with one of this client, or an error.
    Reply(RequestId, Result<Delivery, Error>),
    /// An error that belongs to no request.
    Error(Error),
    /// A command was refused with `Overflow`, and messages have left since: it may be given again.
    Room,
    /// Messages come over two connections for a while.
    Overlap(Overlap),
}

type Observer = Rc<dyn Fn(Notice)>;

/// What an application holds of its connection.
pub struct Embedded {
    served: Shared<Served>,
    driver: Driver<Served>,
}

/// What the driver works for.
struct Served {
    core: Connection,
    observer: Observer,
}

/// Options that ask for a token by calling `ask`; [`Connection::handle_token`] takes it.
#[must_use]
pub fn with_token(mut options: Options, ask: impl Fn() + 'static) -> Options {
    options.token = Some(TokenSource(Rc::new(move |_| ask())));
    options
}

impl Embedded {
    /// Connects to `url`. `observer` is told what happens; `take` is a JavaScript function that
    /// gets the texts of frames and of `/info`, as `io.js` says.
    pub fn new(
        url: &str,
        options: Options,
        observer: impl Fn(Notice) + 'static,
        take: &wasm_bindgen::JsValue,
    ) -> Self {
        let url = driver::absolute(url);
        let core = Connection::new(&url, options, driver::seed(), driver::now());
        let served = Shared::new(Served { core, observer: Rc::new(observer) });
        let driver = Driver::start(served.clone());
        driver.give_frames_to(take);
        Self { served, driver }
    }

    /// Gives the machine a command, with the time.
    pub fn command<T>(&self, command: impl FnOnce(&mut Connection, u64) -> T) -> T {
        let result = command(&mut self.served.lock().core, driver::now());
        self.driver.kick();
        result
    }

    /// Consumes an address; of a pattern only what comes from the server.
    pub fn register(&self, address: &Address, options: &ConsumerOptions) -> ConsumerId {
        self.command(|core, now| core.consumer(now, address, options, None))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.command(|core, _| core.close());
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl Host for Served {
    fn core(&mut self) -> &mut Connection {
        &mut self.core
    }

    fn deliver(this: &Shared<Self>) {
        loop {
            let event = this.lock().core.poll_event();
            let Some(event) = event else { return };
            let observer = this.lock().observer.clone();
            match event {
                Event::State(state) => observer(Notice::State(state)),
                Event::Message { consumers, message } => {
                    for consumer in consumers {
                        observer(Notice::Message(consumer, message.clone()));
                    }
                }
                Event::Reply { request, result } => observer(Notice::Reply(request, result)),
                Event::Registered { address, is_pattern, result } => {
                    observer(Notice::Registered { address, is_pattern, result });
                }
                Event::Error(error) => observer(Notice::Error(error)),
                Event::Room => observer(Notice::Room),
                Event::Overlap(overlap) => observer(Notice::Overlap(overlap)),
                // Whoever takes envelopes apart knows of it already.
                Event::Unhandled(_) => {}
            }
        }
    }
}
