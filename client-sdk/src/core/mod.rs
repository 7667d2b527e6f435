//! One connection to a bridge as a state machine without I/O: no clock, no socket, no task.
//!
//! ```text
//!                 `o` of one
//! [Token ->] Racing ────────> Open
//!          ^  │ all failed     │ lost
//!          │  v                v
//!          └─ Waiting <────────┘  ... Closed
//!          time
//! ```
//!
//! A driver calls commands and `handle_*` with the time in milliseconds, and after each of them
//! empties [`Connection::poll_action`] and [`Connection::poll_event`] and sets one timer to
//! [`Connection::poll_timeout`]. What belongs to one attempt carries its [`Link`]; input from an
//! older link is ignored, so a driver need not be careful about late callbacks.
//!
//! | File | Holds |
//! |---|---|
//! | `connection` | [`Connection`]: its parts, what can be polled, the timer |
//! | `attempt` | starting, opening, losing, waiting, closing |
//! | `life` | the page goes and comes back; the network too |
//! | `race` | `/info`, and transports side by side |
//! | `token` | asking for a token, showing it, renewing it |
//! | `climb` | from another transport back to a WebSocket |
//! | `consuming` | consumers come and go, the server acknowledges |
//! | `incoming` | frames and envelopes from the server |
//! | `outgoing` | publish, send, request, write, reply, fail |
//! | `bare` | envelopes as they are, for an API that speaks the bridge by itself |
//! | `output` | [`Action`], [`Event`], [`Delivery`] and the identifiers |
//! | `outbox` | the bounded queue of envelopes |
//! | `room` | what happens when it is full, and who is told that it has room again |
//! | `registry` | consumers by address or pattern |
//! | `requests` | requests that wait for a reply |
//! | `fallback` | which transport next, and for how long |
//! | `backoff` | how long to wait before the next attempt |
//! | `endpoint` | URLs |
//! | `random`, `table` | numbers from a seed; a small map |

mod attempt;
mod backoff;
mod bare;
mod climb;
mod connection;
mod consuming;
mod endpoint;
mod fallback;
mod incoming;
mod life;
mod outbox;
mod outgoing;
mod output;
mod race;
mod random;
mod registry;
mod requests;
mod room;
mod table;
#[cfg(test)]
mod tests;
mod token;

pub use connection::Connection;
pub use output::{Action, ConsumerId, Delivery, Event, Link, Origin, Overlap, RequestId};
pub use registry::Matcher;
#[doc(hidden)]
pub use table::Table;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use token::Opening;
