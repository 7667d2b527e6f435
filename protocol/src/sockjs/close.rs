//! Close codes with their reasons.

/// A close code and its reason, as they travel in `c[code,"reason"]` and in WebSocket close frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseReason {
    /// 1000 to 4999.
    pub code: u16,
    /// At most 123 bytes, so that it fits a WebSocket close frame.
    pub text: &'static str,
}

impl CloseReason {
    /// The service is done with the socket.
    pub const NORMAL: Self = Self {
        code: 1000,
        text: "Normal closure",
    };
    /// The server goes down.
    pub const GOING_AWAY: Self = Self {
        code: 1001,
        text: "Going away",
    };
    /// The receiver of an HTTP session was lost.
    pub const INTERRUPTED: Self = Self {
        code: 1002,
        text: "Connection interrupted",
    };
    /// A WebSocket text frame was no UTF-8.
    pub const NOT_TEXT: Self = Self {
        code: 1007,
        text: "Text expected",
    };
    /// A message was over the size limit.
    pub const TOO_BIG: Self = Self {
        code: 1009,
        text: "Message too big",
    };
    /// The service failed on this socket.
    pub const INTERNAL: Self = Self {
        code: 1011,
        text: "Internal error",
    };
    /// A session has one receiver at a time, and this is the second.
    pub const BUSY: Self = Self {
        code: 2010,
        text: "Another connection still open",
    };
    /// A WebSocket frame was no array of strings.
    pub const BROKEN_FRAMING: Self = Self {
        code: 3000,
        text: "Broken framing.",
    };
    /// The peer reads slower than messages come, and its outbox is full.
    pub const SLOW_CONSUMER: Self = Self {
        code: 3001,
        text: "Slow consumer",
    };
}
