//! Functions of the global object, which is a window or a worker's scope; time and randomness.

use alloc::borrow::ToOwned;
use alloc::string::String;
use js_sys::{Function, Object};
use wasm_bindgen::prelude::*;
use web_sys::{Crypto, Url};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(callback: &Function, milliseconds: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_name = queueMicrotask)]
    pub(super) fn queue_microtask(callback: &JsValue);
    #[wasm_bindgen(catch)]
    pub(super) fn fetch(url: &str, init: &Object) -> Result<Thenable, JsValue>;
    /// A promise, seen as what it takes functions by.
    pub(super) type Thenable;
    #[wasm_bindgen(method)]
    pub(super) fn then(this: &Thenable, fulfilled: &JsValue, rejected: &JsValue);
    /// Sets a property. One import for all of them keeps the download small.
    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    pub(super) fn set(object: &JsValue, name: &str, value: &JsValue);
    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = get)]
    fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Milliseconds since the page began.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the clock of a page begins at zero"
)]
pub(crate) fn now() -> u64 {
    performance_now() as u64
}

/// A random number; from the clock where there is no `crypto`.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0; 8];
    let crypto = GLOBAL.with(|global| property(global, "crypto"));
    let filled = crypto.is_object()
        && crypto.unchecked_into::<Crypto>().get_random_values_with_u8_array(&mut bytes).is_ok();
    if filled { u64::from_le_bytes(bytes) } else { performance_now().to_bits() }
}

/// `url` as seen from the page.
pub(crate) fn absolute(url: &str) -> String {
    let base = GLOBAL.with(|global| property(&property(global, "location"), "href")).as_string();
    let resolved = base.and_then(|base| Url::new_with_base(url, &base).ok());
    resolved.map_or_else(|| url.to_owned(), |url| url.href())
}

/// A property, or `undefined`.
pub(super) fn property(object: &JsValue, name: &str) -> JsValue {
    get(object, name).unwrap_or_default()
}
