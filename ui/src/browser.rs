//! The few things asked of the browser: the clock, chance, the page's address, the clipboard.

use js_sys::{Date, Math};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Url, Window};

use crate::model::Moment;

/// Now, in local time, to fractions of a millisecond. Set-backs of the system's clock do not
/// show: it is read once, when the page starts.
pub(crate) fn now() -> Moment {
    let since_start =
        window().performance().map_or_else(Date::now, |clock| clock.time_origin() + clock.now());
    Moment(since_start - Date::new_0().get_timezone_offset() * 60_000.0)
}

/// A number from 0 up to but not 1.
pub(crate) fn random() -> f64 {
    Math::random()
}

/// The parameter `name` of the page's address, or an empty text.
pub(crate) fn parameter(name: &str) -> String {
    let value = address().and_then(|url| url.search_params().get(name));
    value.unwrap_or_default()
}

/// Writes the parameter `name` into the page's address, or takes it out, without a visit.
pub(crate) fn set_parameter(name: &str, value: Option<&str>) {
    let Some(url) = address() else { return };
    match value {
        Some(value) => url.search_params().set(name, value),
        None => url.search_params().delete(name),
    }
    if let Ok(history) = window().history() {
        // Refused where pages may not touch their address, as in some frames; then it stays.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url.href()));
    }
}

/// Where the page came from, such as `http://127.0.0.1:8080`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Copies `text`; false when the browser does not let the page, as without TLS.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if JsValue::from(&clipboard).is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

fn address() -> Option<Url> {
    let href = window().location().href().ok()?;
    Url::new(&href).ok()
}

fn window() -> Window {
    web_sys::window().expect("invariant: the page runs in a window")
}
