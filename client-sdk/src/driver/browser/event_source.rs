//! EventSource: one frame for each event, with `%` escaped.

use alloc::rc::Rc;
use alloc::string::String;

use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use super::callback::Callback;
use super::global::{now, property, set};
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
            let frame = data.as_string().and_then(|text| js_sys::decode_uri(&text).ok());
            match frame {
                Some(frame) => pump.frame(link, &String::from(frame)),
                None => pump.failed(link),
            }
        });
        let error = Callback::new(pump, link, on_error);
        set(&source, "onmessage", message.function());
        set(&source, "onerror", error.function());
        Ok(Self { source, _callbacks: [message, error] })
    }
}

/// The end of a response. The browser would ask again by itself, seconds later; the machine does
/// it at once.
fn on_error(pump: &Rc<Pump>, link: Link, event: &JsValue) {
    let source: EventSource = property(event, "target").unchecked_into();
    if source.ready_state() == EventSource::CONNECTING {
        pump.hub.lock().core.handle_ended(now(), link);
    } else {
        pump.failed(link);
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        set(&self.source, "onmessage", &JsValue::NULL);
        set(&self.source, "onerror", &JsValue::NULL);
        self.source.close();
    }
}
