//! EventSource: one frame for each event, with `%` escaped.

use alloc::rc::Rc;
use alloc::string::String;

use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use super::callback::Callback;
use super::global::now;
use super::pump::Pump;
use crate::core::Link;

pub(super) struct Events {
    source: EventSource,
    _callbacks: [Callback; 2],
}

impl Events {
    pub(super) fn open(pump: &Rc<Pump>, link: Link, url: &str) -> Result<Self, JsValue> {
        let source = EventSource::new(url)?;
        let message = Callback::new(pump, link, |pump, link, event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            let frame = data
                .as_string()
                .and_then(|text| js_sys::decode_uri(&text).ok());
            match frame {
                Some(frame) => pump.frame(link, &String::from(frame)),
                None => pump.failed(link),
            }
        });
        let error = Callback::new(pump, link, on_error);
        source.set_onmessage(Some(message.function()));
        source.set_onerror(Some(error.function()));
        Ok(Self {
            source,
            _callbacks: [message, error],
        })
    }
}

/// The end of a response. The browser would ask again by itself, seconds later; the machine does
/// it at once.
fn on_error(pump: &Rc<Pump>, link: Link, event: &JsValue) {
    let source = event.unchecked_ref::<web_sys::Event>().target();
    let state = source.map(|source| source.unchecked_into::<EventSource>().ready_state());
    if state == Some(EventSource::CONNECTING) {
        pump.hub.lock().core.handle_ended(now(), link);
    } else {
        pump.failed(link);
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.set_onmessage(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}
