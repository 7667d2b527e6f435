//! The one class that crosses the border.

use alloc::string::String;
use trolleybus_client::core::{Connection, ConsumerId, Link, Origin, RequestId};
use trolleybus_client::embed::{Embedded, with_token};
use trolleybus_protocol::envelope::error_from_wire;
use trolleybus_protocol::{Address, Body, ConsumerOptions, DeliveryOptions, Error, Overflow};
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
}

#[wasm_bindgen]
impl Bus {
    /// Connects; `observer` is called with an array for all there is to tell, see `convert`, and,
    /// when there is to be a `token`, each time one is wanted. `take` gets the texts of frames and
    /// of `/info`; what they say comes back by [`Bus::hear`], [`Bus::answer`] and [`Bus::fail`].
    #[expect(clippy::too_many_arguments, reason = "an array of numbers costs more to cross")]
    #[wasm_bindgen(constructor)]
    pub fn new(
        url: &str,
        transports: &str,
        token: bool,
        observer: Callback,
        take: &JsValue,
        ping_interval: f64,
        idle_timeout: f64,
        attempts_max: f64,
        delay_min: f64,
        delay_max: f64,
        exponent: f64,
        randomization: f64,
        outbox_len: f64,
        outbox_bytes: f64,
        climb_after: f64,
        drops_oldest: f64,
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
            climb_after,
            drops_oldest,
        }
        .options()
        .transports(settings::names(transports));
        if token {
            let observer = observer.clone();
            options = with_token(options, move || call(&observer, &convert::wants_token()));
        }
        let observer = move |notice| call(&observer, &convert::notice(&notice));
        Self { client: Embedded::new(url, options, observer, take) }
    }

    /// What a frame or `/info` says: 0 `o`; 1 `h`; 2 messages, or nothing much; 3 `c` with code and
    /// reason; 4 nothing that could be read; 5 `/info`, its `base_url` and 1 for WebSockets.
    pub fn hear(&self, link: u32, what: u8, text: &str, code: u16) {
        let link = Link(link);
        self.client.command(|core, now| match what {
            0 => core.handle_open(now, link),
            3 => core.handle_server_close(now, link, code, text),
            4 => core.handle_failed(now, link),
            5 => core.handle_capabilities(now, link, code > 0, text),
            _ => core.handle_heard(now, link, what == 1),
        });
    }

    /// A message came for an address that nobody consumes. Gives the number of the request that it
    /// answers; 0 when it is no concern of the application's, and nothing when it is nobody's.
    pub fn answer(&self, address: &str) -> Option<f64> {
        match self.client.command(|core, _| core.handle_reply(address)) {
            Ok(Some(RequestId(id))) => Some(id as f64),
            Ok(None) | Err(true) => Some(0.0),
            Err(false) => None,
        }
    }

    /// An envelope `err` came; `word` is its body, where that is a text, else empty.
    pub fn fail(
        &self,
        address: &str,
        word: &str,
        failure_type: &str,
        code: i32,
        message: Option<String>,
    ) {
        let word = (!word.is_empty()).then_some(word);
        let error = error_from_wire(word, failure_type, code, message);
        self.client.command(|core, now| core.handle_error(now, address, error));
    }

    /// Gives a command, by its number. `number` is a failure's code, or a request's timeout in
    /// milliseconds. Gives the number of a request, or an error when it is not carried out.
    #[expect(clippy::too_many_arguments, reason = "one crossing costs less than six")]
    pub fn command(
        &self,
        operation: u8,
        origin: u32,
        address: &str,
        body: String,
        headers: &str,
        local: bool,
        number: f64,
    ) -> JsValue {
        let operation = Operation::from_number(operation);
        let (origin, to) = (convert::origin(origin), Address::from(address));
        let begun = self.client.command(|core, now| {
            if let Operation::Fail = operation {
                return core.refuse(origin, &to, number as i32, &body).map(|()| None);
            }
            let options = convert::delivery(headers, local, number)?;
            run(core, now, operation, origin, &to, Body::from_written(body), options)
        });
        match begun {
            Err(error) => convert::error(&error),
            Ok(Some(RequestId(id))) => JsValue::from_f64(id as f64),
            Ok(None) => JsValue::UNDEFINED,
        }
    }

    /// Gives a request up, which is not sent when it has not left yet.
    pub fn cancel(&self, request: f64) {
        self.client.command(|core, _| core.cancel(RequestId(request as u64)));
    }

    /// Gives the token that was wanted, with the milliseconds it has left, where that is known; or,
    /// without `ok`, why there is none.
    pub fn token(&self, ok: bool, text: &str, left: f64) {
        let token = if ok { Ok(text) } else { Err(text) };
        let left = settings::milliseconds(left).map(|left| left.as_millis() as u64);
        self.client.command(|core, now| core.handle_token(now, token, left));
    }

    /// Consumes an address; gives the consumer's number.
    pub fn register(
        &self,
        address: &str,
        local_only: bool,
        is_pattern: bool,
        overflow: &str,
    ) -> f64 {
        let overflow = Overflow::from_word(overflow).unwrap_or_default();
        let options = ConsumerOptions { local_only, is_pattern, overflow, max_buffered: None };
        let ConsumerId(id) = self.client.register(&address.into(), &options);
        id as f64
    }

    /// Ends a consumer.
    pub fn unregister(&self, consumer: f64) {
        self.client.command(|core, _| core.unregister(ConsumerId(consumer as u64)));
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

    /// From now on the application speaks the bridge by itself.
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

fn call(callback: &Callback, argument: &JsValue) {
    callback.call(&JsValue::UNDEFINED, argument);
}
