//! WebSocket: SockJS frames as text messages.

use alloc::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::callback::Callback;
use super::global::{now, set};
use super::pump::Pump;
use crate::core::Link;

pub(super) struct Socket {
    socket: WebSocket,
    _callbacks: [Callback; 2],
}

impl Socket {
    pub(super) fn open(pump: &Rc<Pump>, link: Link, url: &str) -> Result<Self, JsValue> {
        let socket = WebSocket::new(url)?;
        let message = Callback::new(pump, link, |pump, link, event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            if let Some(text) = data.as_string() {
                pump.frame(link, &text);
            }
        });
        // An error is always followed by a close.
        let close = Callback::new(pump, link, |pump, link, event| {
            let event = event.unchecked_ref::<CloseEvent>();
            pump.hub.lock().core.handle_closed(now(), link, event.code(), &event.reason());
        });
        set(&socket, "onmessage", message.function());
        set(&socket, "onclose", close.function());
        Ok(Self { socket, _callbacks: [message, close] })
    }

    /// Sends a text; gives the number of bytes that the browser still holds.
    pub(super) fn send(&self, text: &str) -> Result<u32, JsValue> {
        self.socket.send_with_str(text)?;
        Ok(self.unsent())
    }

    pub(super) fn unsent(&self) -> u32 {
        self.socket.buffered_amount()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        set(&self.socket, "onmessage", &JsValue::NULL);
        set(&self.socket, "onclose", &JsValue::NULL);
        // It may be closed already.
        let _ = self.socket.close();
    }
}
