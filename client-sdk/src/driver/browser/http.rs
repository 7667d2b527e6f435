//! fetch: `/info`, xhr-streaming and xhr-polling, which differ in nothing here, and uploads.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use js_sys::Object;
use wasm_bindgen::prelude::*;
use web_sys::{
    AbortController, ReadableStream, ReadableStreamDefaultReader, Response, TextDecoder,
};

use super::callback::{Callback, Handler};
use super::global::{Thenable, fetch, now, property, set};
use super::pump::{Pump, Receiver};
use crate::core::Link;

/// What a response holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// The document of `/info`.
    Info,
    /// Frames, one on each line.
    Frames,
}

/// A request. A receiving one is given up when it is dropped; an upload goes on.
pub(super) struct Request {
    link: Link,
    abort: Option<AbortController>,
    body: Body,
    failed: JsValue,
    chunk: JsValue,
    reading: RefCell<Reading>,
}

/// The body as it comes.
struct Reading {
    reader: Option<ReadableStreamDefaultReader>,
    decoder: TextDecoder,
    /// Text without its end of line yet; all of it for `/info`.
    rest: String,
}

impl Request {
    pub(super) fn receive(
        pump: &Rc<Pump>,
        link: Link,
        url: &str,
        body: Body,
    ) -> Result<Self, JsValue> {
        let abort = AbortController::new()?;
        let init = Object::new();
        set(&init, "signal", &property(&abort, "signal"));
        set(&init, "cache", &"no-store".into());
        if body == Body::Frames {
            set(&init, "method", &"POST".into());
        }
        Self::start(pump, link, url, &init, (Some(abort), body), on_response)
    }

    pub(super) fn upload(
        pump: &Rc<Pump>,
        link: Link,
        url: &str,
        text: &str,
    ) -> Result<Self, JsValue> {
        let init = Object::new();
        set(&init, "method", &"POST".into());
        set(&init, "body", &text.into());
        Self::start(pump, link, url, &init, (None, Body::Frames), on_uploaded)
    }

    fn start(
        pump: &Rc<Pump>,
        link: Link,
        url: &str,
        init: &Object,
        (abort, body): (Option<AbortController>, Body),
        on_response: Handler,
    ) -> Result<Self, JsValue> {
        set(init, "credentials", &"include".into());
        let request = Self {
            link,
            abort,
            body,
            failed: Callback::detached(pump, link, |pump, link, _| pump.failed(link)),
            chunk: Callback::detached(pump, link, on_chunk),
            reading: RefCell::new(Reading {
                reader: None,
                decoder: TextDecoder::new()?,
                rest: String::new(),
            }),
        };
        let response = Callback::detached(pump, link, on_response);
        fetch(url, init)?.then(&response, &request.failed);
        Ok(request)
    }

    /// Waits for the next part of the body.
    fn read(&self) {
        if let Some(reader) = &self.reading.borrow().reader {
            reader.read().unchecked_into::<Thenable>().then(&self.chunk, &self.failed);
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

fn is_success(response: &Response) -> bool {
    matches!(response.status(), 200 | 204)
}

fn on_uploaded(pump: &Rc<Pump>, link: Link, response: &JsValue) {
    if is_success(response.unchecked_ref()) {
        pump.hub.lock().core.handle_sent(link);
    } else {
        pump.failed(link);
    }
}

fn on_response(pump: &Rc<Pump>, link: Link, response: &JsValue) {
    let response: &Response = response.unchecked_ref();
    let body = property(response, "body");
    if !is_success(response) || !body.is_object() {
        return pump.failed(link);
    }
    let reader = body.unchecked_ref::<ReadableStream>().get_reader();
    with_receiving(pump, link, |request| {
        request.reading.borrow_mut().reader = Some(reader.unchecked_into());
        request.read();
    });
}

/// The request that receives on this link, when it is still there.
fn with_receiving<T>(pump: &Pump, link: Link, act: impl FnOnce(&Request) -> T) -> Option<T> {
    match &*pump.receiver.borrow() {
        Some(Receiver::Http(request)) if request.link == link => Some(act(request)),
        _ => None,
    }
}

/// A part of the body, or its end.
fn on_chunk(pump: &Rc<Pump>, link: Link, part: &JsValue) {
    let value = property(part, "value");
    if value.is_undefined() {
        return on_end(pump, link);
    }
    let lines = with_receiving(pump, link, |request| request.take_lines(&value));
    let lines = lines.unwrap_or_default();
    let mut rest = &*lines;
    while let Some((line, behind)) = rest.split_once('\n') {
        pump.frame(link, line);
        rest = behind;
    }
    with_receiving(pump, link, Request::read);
}

fn on_end(pump: &Rc<Pump>, link: Link) {
    let info = with_receiving(pump, link, |request| {
        let rest = core::mem::take(&mut request.reading.borrow_mut().rest);
        (request.body == Body::Info).then_some(rest)
    });
    let core = &mut pump.hub.lock().core;
    match info {
        Some(Some(text)) => core.handle_info(now(), link, &text),
        Some(None) => core.handle_ended(now(), link),
        None => {}
    }
}

impl Request {
    /// Adds a chunk; gives what is complete by it.
    fn take_lines(&self, chunk: &JsValue) -> String {
        let reading = &mut *self.reading.borrow_mut();
        let options = Object::new();
        set(&options, "stream", &true.into());
        let text = reading
            .decoder
            .decode_with_js_u8_array_and_options(chunk.unchecked_ref(), options.unchecked_ref());
        reading.rest.push_str(&text.unwrap_or_default());
        if self.body == Body::Info {
            return String::new();
        }
        match reading.rest.rfind('\n') {
            Some(end) => {
                let rest = reading.rest.split_off(end + 1);
                core::mem::replace(&mut reading.rest, rest)
            }
            None => String::new(),
        }
    }
}
