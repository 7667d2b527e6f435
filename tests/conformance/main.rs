//! The SockJS layer against its reference, one file per chapter.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

mod bad_input;
mod closing;
mod compression;
mod cookies;
mod eventsource;
mod frames;
mod headers;
mod htmlfile;
mod info;
mod jsonp;
mod limits;
mod origins;
mod raw_websocket;
mod sessions;
mod statics;
mod urls;
mod websocket;
mod xhr_polling;
mod xhr_streaming;
