//! The one class that crosses the border.

use alloc::string::String;
use core::cell::RefCell;

use trolleybus_client::core::{Connection, Delivery, Origin, RequestId};
use trolleybus_client::embed::{Embedded, Table, with_token};
use trolleybus_client::{Client, Registration};
use trolleybus_protocol::{
    Address, Body, ConsumerOptions, DeliveryOptions, Error, ErrorKind, Overflow,
};
use wasm_bindgen::prelude::*;

use crate::convert::Callback;
use crate::{convert, settings};

/// What [`Bus::command`] does; `js/bus.js` knows the numbers, which count from 0.
#[derive(Debug, Clone, Copy)]
enum Operation {
    /// Publishes.
    Publish,
    /// Sends to one.
    Send,
    /// Sends to one and asks for a reply.
    Request,
    /// Replies to a message.
    Reply,
    /// Replies and asks for a reply.
    ReplyAndRequest,
    /// Fails the request that a message is; the body is the text.
    Fail,
}

impl Operation {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Publish,
            1 => Self::Send,
            2 => Self::Request,
            3 => Self::Reply,
            4 => Self::ReplyAndRequest,
            _ => Self::Fail,
        }
    }
}

/// One connection, as JavaScript holds it. Errors are given as arrays.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Bus {
    client: Embedded,
    registrations: RefCell<Table<Registration>>,
}

#[wasm_bindgen]
impl Bus {
    /// Connects; `observer` is called with an array for each state, error and unknown envelope,
    /// and, when there is to be a `token`, each time one is wanted.
    #[expect(clippy::too_many_arguments, reason = "an array of numbers costs more to cross")]
    #[wasm_bindgen(constructor)]
    pub fn new(
        url: &str,
        transports: &str,
        token: bool,
        observer: Callback,
        ping_interval: f64,
        idle_timeout: f64,
        attempts_max: f64,
        delay_min: f64,
        delay_max: f64,
        exponent: f64,
        randomization: f64,
        outbox_len: f64,
        outbox_bytes: f64,
    ) -> Self {
        let mut options = settings::Numbers {
            ping_interval,
            idle_timeout,
            attempts_max,
            delay_min,
            delay_max,
            exponent,
            randomization,
            outbox_len,
            outbox_bytes,
        }
        .options()
        .transports(settings::names(transports));
        if token {
            let observer = observer.clone();
            options = with_token(options, move || call(&observer, &convert::wants_token()));
        }
        let client = Client::with_options(url, options);
        let observer = move |notice| call(&observer, &convert::notice(&notice));
        Self { client: Embedded::new(client, observer), registrations: RefCell::new(Table::new()) }
    }

    /// Gives a command, by its number. `number` is a failure's code, or a request's timeout in
    /// milliseconds; `done` is called when a request ends, with a message, or nothing and an error.
    /// Gives an error when it is not carried out.
    #[expect(clippy::too_many_arguments, reason = "one crossing costs less than six")]
    pub fn command(
        &self,
        operation: u8,
        origin: u32,
        address: &str,
        body: &str,
        headers: &str,
        local: bool,
        number: f64,
        done: Option<Callback>,
    ) -> JsValue {
        let operation = Operation::from_number(operation);
        let (origin, to) = (convert::origin(origin), Address::from(address));
        let begun = self.client.command(|core, now| {
            if let Operation::Fail = operation {
                return core.refuse(origin, &to, number as i32, body).map(|()| None);
            }
            let body = Body::from_json(body)
                .map_err(|_| Error::new(ErrorKind::Body, "not a message body"))?;
            let options = convert::delivery(headers, local, number)?;
            run(core, now, operation, origin, &to, body, options)
        });
        match (begun, done) {
            (Err(error), _) => return convert::error(&error),
            (Ok(Some(request)), Some(done)) => {
                self.client.wait(request, move |result| settle(&done, &result));
            }
            _ => {}
        }
        JsValue::UNDEFINED
    }

    /// Gives the token that was wanted, with the milliseconds it has left, where that is known; or,
    /// without `ok`, why there is none.
    pub fn token(&self, ok: bool, text: &str, left: f64) {
        let token = if ok { Ok(text) } else { Err(text) };
        let left = settings::milliseconds(left).map(|left| left.as_millis() as u64);
        self.client.command(|core, now| core.handle_token(now, token, left));
    }

    /// Consumes an address; gives a number for `unregister`.
    pub fn register(
        &self,
        address: &str,
        local_only: bool,
        is_pattern: bool,
        overflow: &str,
        callback: Callback,
    ) -> f64 {
        let overflow = Overflow::from_word(overflow).unwrap_or_default();
        let options = ConsumerOptions { local_only, is_pattern, overflow, max_buffered: None };
        let registration = self.client.register(&address.into(), &options, move |message| {
            call(&callback, &convert::message(&message));
        });
        self.registrations.borrow_mut().add(registration) as f64
    }

    /// Ends a registration.
    pub fn unregister(&self, id: f64) {
        let registration = self.registrations.borrow_mut().remove(id as u64);
        drop(registration);
    }

    /// `[code, reason]` of the last loss.
    #[wasm_bindgen(js_name = lastClose)]
    pub fn last_close(&self) -> JsValue {
        self.client.command(|core, _| {
            let (code, reason) = core.last_close();
            convert::close_parts(code, reason)
        })
    }

    /// Connects anew at once; with names of transports uses those from now on.
    pub fn reconnect(&self, transports: Option<String>) {
        let transports = transports.map(|names| settings::names(&names));
        self.client.command(|core, now| core.reconnect(now, transports));
    }

    /// Sets how many attempts in a row may fail; infinity for no limit.
    #[wasm_bindgen(js_name = limitAttempts)]
    pub fn limit_attempts(&self, attempts: f64) {
        let attempts = settings::attempts(attempts);
        self.client.command(|core, _| core.limit_attempts(attempts));
    }

    /// From now on every envelope comes as a notice, as it is.
    #[wasm_bindgen(js_name = handOver)]
    pub fn hand_over(&self) {
        self.client.command(|core, _| core.hand_over());
    }

    /// Sends an envelope as it is, over this connection or never. Gives an error when it is not
    /// carried out.
    pub fn say(&self, envelope: String) -> JsValue {
        let said = self.client.command(|core, _| core.say(envelope));
        said.err().as_ref().map(convert::error).unwrap_or_default()
    }

    /// Pings at once, and then each so many milliseconds; never for zero.
    #[wasm_bindgen(js_name = pingEvery)]
    pub fn ping_every(&self, interval: f64) {
        let interval = settings::milliseconds(interval).unwrap_or_default();
        self.client.command(|core, now| core.ping_every(now, interval));
    }

    /// Ends the connection for good.
    pub fn close(&self) {
        self.client.command(|core, _| core.close());
    }
}

/// The commands that need a body.
fn run(
    core: &mut Connection,
    now: u64,
    operation: Operation,
    origin: Origin,
    to: &Address,
    body: Body,
    options: DeliveryOptions,
) -> Result<Option<RequestId>, Error> {
    match operation {
        Operation::Request => core.request(now, to, body, options).map(Some),
        Operation::ReplyAndRequest => {
            core.reply_and_request(now, origin, to, body, options).map(Some)
        }
        Operation::Publish => core.publish(to, body, options).map(|()| None),
        Operation::Reply => core.reply(origin, to, body, options).map(|()| None),
        Operation::Send | Operation::Fail => core.send(to, body, options).map(|()| None),
    }
}

fn settle(done: &Callback, result: &Result<Delivery, Error>) {
    let nothing = JsValue::UNDEFINED;
    match result {
        Ok(message) => call(done, &convert::message(message)),
        Err(error) => done.call(&nothing, &nothing, &convert::error(error)),
    }
}

fn call(callback: &Callback, argument: &JsValue) {
    let nothing = JsValue::UNDEFINED;
    callback.call(&nothing, argument, &nothing);
}
