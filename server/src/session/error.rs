//! Why a message was not taken.

/// Why [`SocketSender::send`](super::SocketSender::send) did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The socket is closed or closing.
    #[error("the socket is closed")]
    Closed,
    /// The peer reads too slowly and the outbox is full. The socket is now closed with
    /// [`SLOW_CONSUMER`](trolleybus_protocol::codes::Close::SLOW_CONSUMER).
    #[error("the outbox is full")]
    Overflow,
}
