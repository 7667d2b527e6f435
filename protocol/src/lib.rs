//! The wire of Trolleybus, pure: no clock, no task, no socket.

pub mod json;
pub mod sockjs;
