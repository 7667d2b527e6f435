//! The browser driver, for pages and workers: callbacks only, no task.
//!
//! | File | Holds |
//! |---|---|
//! | `pump` | [`Driver`]: performs actions, delivers messages, keeps the timer |
//! | `callback` | closures that die with their owner |
//! | `socket` | WebSocket |
//! | `http` | fetch: `/info`, xhr-streaming, xhr-polling, uploads |
//! | `event_source` | EventSource |
//! | `global` | functions of the global object, time and randomness |

mod callback;
mod event_source;
mod global;
mod http;
mod pump;
mod socket;

pub(crate) use global::{absolute, now, seed};
pub(crate) use pump::Driver;
