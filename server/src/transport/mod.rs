//! SockJS over HTTP and WebSocket: turns requests into sessions, and frames into response bytes.
//!
//! | File | Holds |
//! |---|---|
//! | `service` | one SockJS service: its sessions, sockets and tasks |
//! | `dispatch` | from method and path to an endpoint |
//! | `mounted` | the path behind the mount point |
//! | `answer` | a response, or what has to be waited for |
//! | `call` | one request with what every answer needs |
//! | `headers` | the header recipes |
//! | `greeting`, `info`, `iframe` | the documents |
//! | `receive` | a session's receiver as a response, polled or streamed |
//! | `xhr`, `eventsource`, `htmlfile`, `jsonp` | framing over that receiver |
//! | `upload` | `xhr_send` and `jsonp_send` |
//! | `ws` | WebSocket, framed and raw |

mod answer;
mod call;
mod dispatch;
mod eventsource;
mod greeting;
mod headers;
mod htmlfile;
mod iframe;
mod info;
mod jsonp;
mod mounted;
mod receive;
mod service;
mod upload;
mod ws;
mod xhr;

pub(crate) use answer::{Answer, Waiting};
pub use service::SockJs;
