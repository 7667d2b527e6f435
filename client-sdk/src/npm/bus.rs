//! The one class that crosses the border.

use std::cell::RefCell;

use js_sys::Function;
use trolleybus_protocol::{Address, Body, DeliveryOptions, Error};
use wasm_bindgen::prelude::*;

use super::{convert, settings};
use crate::client::{Client, Message, Registration};
use crate::core::{Scope, Table};

/// One connection, as JavaScript holds it. Errors are thrown as arrays.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Bus {
    client: Client,
    registrations: RefCell<Table<Registration>>,
}

#[wasm_bindgen]
impl Bus {
    /// Connects; `observer` is called with an array for each state, error and unknown envelope.
    #[wasm_bindgen(constructor)]
    pub fn new(url: &str, transports: &str, numbers: &[f64], observer: Function) -> Self {
        let client = Client::with_options(url, settings::options(transports, numbers));
        client.observe(move |notice| call(&observer, &convert::notice(&notice).into()));
        Self {
            client,
            registrations: RefCell::new(Table::new()),
        }
    }

    /// Publishes, or sends to one.
    pub fn send(
        &self,
        all: bool,
        address: &str,
        body: &str,
        headers: &str,
        local: bool,
    ) -> Result<(), JsValue> {
        let (address, body, options) = outgoing(address, body, headers, local)?;
        let sent = self.client.command(|core| match all {
            true => core.publish(&address, body, options),
            false => core.send(&address, body, options),
        });
        sent.map_err(thrown)
    }

    /// Requests; `done` is called with a message, or with nothing and an error.
    pub fn request(
        &self,
        address: &str,
        body: &str,
        headers: &str,
        local: bool,
        timeout: f64,
        done: Function,
    ) -> Result<(), JsValue> {
        let (address, body, mut options) = outgoing(address, body, headers, local)?;
        options.timeout = settings::milliseconds(timeout).unwrap_or(options.timeout);
        let now = crate::driver::now();
        let begun = self.client.begin(
            move |result| settle(&done, result),
            |core| core.request(now, &address, body, options),
        );
        begun.map_err(thrown)
    }

    /// Replies to a message.
    pub fn reply(&self, origin: u32, to: &str, body: &str, headers: &str) -> Result<(), JsValue> {
        let (to, body, options) = outgoing(to, body, headers, false)?;
        let origin = convert::origin(origin);
        let replied = self
            .client
            .command(|core| core.reply(origin, &to, body, options));
        replied.map_err(thrown)
    }

    /// Replies to a message and asks for a reply to that.
    #[wasm_bindgen(js_name = replyAndRequest)]
    pub fn reply_and_request(
        &self,
        origin: u32,
        to: &str,
        body: &str,
        headers: &str,
        timeout: f64,
        done: Function,
    ) -> Result<(), JsValue> {
        let (to, body, mut options) = outgoing(to, body, headers, false)?;
        options.timeout = settings::milliseconds(timeout).unwrap_or(options.timeout);
        let (now, origin) = (crate::driver::now(), convert::origin(origin));
        let begun = self.client.begin(
            move |result| settle(&done, result),
            |core| core.reply_and_request(now, origin, &to, body, options),
        );
        begun.map_err(thrown)
    }

    /// Fails the request that a message is.
    pub fn fail(&self, origin: u32, to: &str, code: i32, text: &str) -> Result<(), JsValue> {
        let (origin, to) = (convert::origin(origin), Address::from(to));
        let refused = self
            .client
            .command(|core| core.refuse(origin, &to, code, text));
        refused.map_err(thrown)
    }

    /// Consumes an address; gives a number for `unregister`.
    pub fn register(&self, address: &str, local: bool, callback: Function) -> f64 {
        let scope = if local { Scope::Local } else { Scope::Bus };
        let registration = self
            .client
            .register(&address.into(), scope, move |message| {
                call(&callback, &convert::message(message).into());
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
    pub fn last_close(&self) -> js_sys::Array {
        let (code, reason) = self.client.last_close();
        js_sys::Array::of2(&code.into(), &reason.into())
    }

    /// Connects anew at once; with names of transports uses those from now on.
    pub fn reconnect(&self, transports: Option<String>) {
        let now = crate::driver::now();
        let transports = transports.map(|names| settings::names(&names).collect());
        self.client.command(|core| core.reconnect(now, transports));
    }

    /// Sets how many attempts in a row may fail; infinity for no limit.
    #[wasm_bindgen(js_name = limitAttempts)]
    pub fn limit_attempts(&self, attempts: f64) {
        let attempts = settings::attempts(attempts);
        self.client.command(|core| core.limit_attempts(attempts));
    }

    /// Ends the connection for good.
    pub fn close(&self) {
        self.client.close();
    }
}

fn outgoing(
    address: &str,
    body: &str,
    headers: &str,
    local: bool,
) -> Result<(Address, Body, DeliveryOptions), JsValue> {
    let body = Body::from_json(body)
        .map_err(|_| thrown(Error::new(crate::ErrorKind::Body, "not a message body")))?;
    let options = convert::delivery(headers, local).map_err(thrown)?;
    Ok((address.into(), body, options))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn thrown(error: Error) -> JsValue {
    convert::error(&error).into()
}

fn settle(done: &Function, result: Result<Message, Error>) {
    // The callback catches its own exceptions.
    let _ = match result {
        Ok(message) => done.call1(&JsValue::UNDEFINED, &convert::message(message)),
        Err(error) => done.call2(&JsValue::UNDEFINED, &JsValue::UNDEFINED, &thrown(error)),
    };
}

fn call(callback: &Function, argument: &JsValue) {
    // The callback catches its own exceptions.
    let _ = callback.call1(&JsValue::UNDEFINED, argument);
}
