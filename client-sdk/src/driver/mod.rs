//! What does the I/O that the machine in [`core`](crate::core) asks for. Both drivers offer the
//! same few names: `Driver` with `start` and `kick`, `now`, `seed`, `absolute`.
//!
//! | Folder | World |
//! |---|---|
//! | `browser` | pages and workers: callbacks, no task, four transports |
//! | `native` | tokio: one task for each client, WebSocket |

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod native;

#[cfg(target_arch = "wasm32")]
pub(crate) use browser::{Driver, Host, absolute, now, seed};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Driver, absolute, now, seed};
