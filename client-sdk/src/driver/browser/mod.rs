//! The browser driver, for pages and workers: callbacks only, no task.
//!
//! | File | Holds |
//! |---|---|
//! | `pump` | [`Driver`]: performs actions, delivers messages, keeps the timer |
//! | `io` | what `io.js` does with the browser's objects: fetch, EventSource, WebSocket; and `life.js`: the timer, the page's going and coming |

mod io;
mod pump;

pub(crate) use io::{absolute, now, seed};
pub(crate) use pump::{Driver, Host};
