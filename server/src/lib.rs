//! Trolleybus on the server.

