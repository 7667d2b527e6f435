//! Ordinary consumers of the bus that we ship.
//!
//! | File | Holds |
//! |---|---|
//! | `uppercase` | the demo's service, compiled for the browser as well |
//! | `echo` | replies with what it gets |

pub mod echo;
pub mod uppercase;
