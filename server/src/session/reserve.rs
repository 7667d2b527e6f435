//! The port to whoever keeps messages back until the outbox has room again.

use super::Outgoing;

/// Messages that are kept back while the peer does not read. The transport asks for them when it
/// has written everything else.
///
/// It is called in the task of the transport, with no lock of the session held; it may lock itself,
/// and may call [`Offer`] and [`SocketSender::offer`](super::SocketSender::offer) meanwhile.
pub trait Reserve: Send + Sync + 'static {
    /// Hands over messages, oldest first, until one comes back or none is left.
    fn refill(&self, outbox: &mut Offer<'_>);
}

/// Takes a message, or gives it back when there is no room.
pub type Offer<'a> = dyn FnMut(Outgoing) -> Result<(), Offered> + 'a;

/// What became of a message that was offered and not taken.
#[derive(Debug)]
pub enum Offered {
    /// There is no room now. The transport will ask the socket's [`Reserve`] when there is.
    NoRoom(Outgoing),
    /// The socket is closed or closing.
    Closed,
}
