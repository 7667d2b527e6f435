//! `io.js` and `life.js`, which do what needs the browser's objects. Each of those that Rust touched by itself
//! would cost the download more than a whole file.

use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::Transport;

/// What `io.js` tells: the number of the link, what happened, a text, and a close code.
pub(super) type Tell = dyn Fn(u32, u8, String, u16);

/// What happened, by the number that `io.js` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// A frame came.
    Frame,
    /// All of `/info` came.
    Info,
    /// An HTTP response ended as it should.
    Ended,
    /// What the link was doing failed.
    Failed,
    /// The text is on its way.
    Sent,
    /// The WebSocket was closed.
    Closed,
    /// The timer's time has come.
    Time,
    /// The caller of [`Io::soon`] is done.
    Run,
    /// The page goes, or is frozen.
    Away,
    /// The page, or the network, is there again.
    Back,
    /// The network has gone.
    Offline,
}

impl Told {
    pub(super) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Frame,
            1 => Self::Info,
            2 => Self::Ended,
            3 => Self::Failed,
            4 => Self::Sent,
            5 => Self::Closed,
            6 => Self::Time,
            8 => Self::Away,
            9 => Self::Back,
            10 => Self::Offline,
            _ => Self::Run,
        }
    }
}

/// How `/info` is received.
pub(super) const INFO: u8 = 0;

/// How `transport` receives, by the number that `io.js` has for it.
pub(super) fn kind(transport: Transport) -> u8 {
    match transport {
        Transport::XhrStreaming | Transport::XhrPolling => 1,
        Transport::EventSource => 2,
        _ => 3,
    }
}

#[wasm_bindgen(module = "/src/driver/browser/io.js")]
extern "C" {
    /// Receivers, by the number of their link, and uploads.
    #[derive(Debug)]
    pub(super) type Io;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(tell: &JsValue) -> Io;
    #[wasm_bindgen(method)]
    pub(super) fn give(this: &Io, take: &JsValue);
    #[wasm_bindgen(method)]
    pub(super) fn open(this: &Io, link: u32, kind: u8, url: &str);
    #[wasm_bindgen(method)]
    pub(super) fn send(this: &Io, link: u32, text: &str);
    #[wasm_bindgen(method)]
    pub(super) fn upload(this: &Io, link: u32, url: &str, text: &str);
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Io, link: u32);
    #[wasm_bindgen(method)]
    pub(super) fn soon(this: &Io);
    /// A static method, because an import that is a bare function would be taken from `io.js`
    /// without a wrapper, whose name could not be made short.
    #[wasm_bindgen(static_method_of = Io)]
    fn seed() -> u64;
    pub(crate) fn absolute(url: &str) -> String;
}

#[wasm_bindgen(module = "/src/driver/browser/life.js")]
extern "C" {
    /// The timer, and what the page tells of itself.
    #[derive(Debug)]
    pub(super) type Life;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(tell: &JsValue) -> Life;
    #[wasm_bindgen(method)]
    pub(super) fn wake(this: &Life, wait: i32);
    #[wasm_bindgen(method)]
    pub(super) fn end(this: &Life);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// A random number.
pub(crate) fn seed() -> u64 {
    Io::seed()
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
