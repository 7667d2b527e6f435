//! Closures for JavaScript that die with their owner.

use alloc::rc::{Rc, Weak};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::pump::Pump;
use crate::core::Link;

/// What a callback does. Whatever it gave the machine is worked off when it returns.
pub(super) type Handler = fn(&Rc<Pump>, Link, &JsValue);

/// A function of one argument for JavaScript. Late calls, after the driver is gone, do nothing.
pub(super) struct Callback(Closure<dyn FnMut(JsValue)>);

impl Callback {
    pub(super) fn new(pump: &Rc<Pump>, link: Link, handler: Handler) -> Self {
        let pump: Weak<Pump> = Rc::downgrade(pump);
        Self(Closure::new(move |value: JsValue| {
            if let Some(pump) = pump.upgrade() {
                handler(&pump, link, &value);
                pump.run();
            }
        }))
    }

    /// For promises, which cannot be stopped from calling: it lives until JavaScript drops it.
    pub(super) fn detached(pump: &Rc<Pump>, link: Link, handler: Handler) -> JsValue {
        Self::new(pump, link, handler).0.into_js_value()
    }

    pub(super) fn function(&self) -> &Function {
        self.0.as_ref().unchecked_ref()
    }
}
