//! SockJS on paper: names, paths, frames and uploads; nothing here reads a clock or a socket.
//!
//! | File | Holds |
//! |---|---|
//! | `form` | the `d` field of a JSONP upload |
//! | `frame` | what the server says: `o`, `h`, `a[...]`, `c[...]` |
//! | `info` | the capabilities document |
//! | `path` | which endpoint a path names |
//! | `transport` | the transports and sets of them |
//! | `upload` | what the client says: an array of strings |
//! | `wrap` | how each HTTP transport packs a frame |

mod form;
mod frame;
mod info;
mod path;
mod transport;
mod upload;
#[cfg(test)]
mod vectors;
pub mod wrap;

pub use form::form_field;
pub use frame::{Frame, FrameError, HEARTBEAT, OPEN, close_frame, message_frame, quoted_of};
pub use info::Info;
pub use path::{Endpoint, MAX_ID_LENGTH, SessionEndpoint};
pub use transport::{Transport, TransportSet};
pub use upload::{Many, Messages, Upload, UploadError, encode_upload};
