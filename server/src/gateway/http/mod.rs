//! The HTTP gateway: publish, send and request by POST, and an address as a stream of server-sent
//! events, for `curl` and for programs that want no socket.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`HttpGateway`], to mount in an axum app |
//! | `call` | what a request says: principal, address, headers, body |
//! | `messages` | publish, send, request |
//! | `hooked` | the same and streams, as the hook sees them |
//! | `subscribe` | the stream of server-sent events |
//! | `feed` | messages that wait for the reader of a stream, bounded |
//! | `failure` | the one table from failures to statuses |
//! | `origin` | which pages of other origins may call |
//! | `document` | the OpenAPI document, made from the code |

mod call;
mod document;
mod failure;
mod feed;
mod handle;
mod hooked;
mod messages;
mod origin;
mod subscribe;

pub use handle::HttpGateway;
