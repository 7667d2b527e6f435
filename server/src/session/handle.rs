//! The service's ends of a socket: one that receives, and as many as wanted that send.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use bytestring::ByteString;

use super::{Link, Offered, Outgoing, Reserve, SendError, SocketInfo};

/// One open socket, as the service sees it. It closes when the service's future ends.
pub struct Socket {
    link: Arc<Link>,
}

impl Socket {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    /// The next message; `None` once the socket is closed.
    ///
    /// # Cancel safety
    /// A call that is dropped has taken nothing.
    pub async fn recv(&mut self) -> Option<ByteString> {
        poll_fn(|cx| self.link.poll_recv(cx)).await
    }

    /// A handle that sends, to be cloned and kept anywhere.
    #[must_use]
    pub fn sender(&self) -> SocketSender {
        SocketSender { link: Arc::clone(&self.link) }
    }

    /// Queues a message; see [`SocketSender::send`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&self, text: impl Into<Outgoing>) -> Result<(), SendError> {
        self.link.send(text.into())
    }

    /// Closes the socket after what is queued; see [`SocketSender::close`].
    pub fn close(&self, code: u16, reason: &str) {
        self.link.close(code, reason);
    }

    /// What the first request said.
    #[must_use]
    pub fn info(&self) -> &SocketInfo {
        self.link.info()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("transport", &self.link.info().transport()).finish()
    }
}

/// Sends on one socket. Clones are cheap and outlive the socket.
#[derive(Clone)]
pub struct SocketSender {
    link: Arc<Link>,
}

impl SocketSender {
    /// Queues a message. Messages queued together leave in one write.
    ///
    /// # Errors
    /// [`SendError::Overflow`] when the peer reads too slowly: the socket is closed then.
    /// [`SendError::Closed`] ever after.
    pub fn send(&self, text: impl Into<Outgoing>) -> Result<(), SendError> {
        self.link.send(text.into())
    }

    /// Queues a message if the peer keeps up, that is while less than 64 KiB wait for it; an empty
    /// outbox takes any message.
    ///
    /// # Errors
    /// The message, when there is no room for it now; the socket stays open.
    pub fn offer(&self, text: impl Into<Outgoing>) -> Result<(), Offered> {
        self.link.offer(text.into())
    }

    /// Says who keeps back the messages that found no room: it is asked for them when there is.
    /// A socket has one; later ones are passed over.
    pub fn keep_back(&self, reserve: Arc<dyn Reserve>) {
        self.link.keep_back(reserve);
    }

    /// Closes the socket after what is queued: 1000, or 3000 to 4999 for codes of your own. Reasons
    /// over 123 bytes are cut. The first close counts.
    pub fn close(&self, code: u16, reason: &str) {
        self.link.close(code, reason);
    }

    /// Messages that wait for the client, and the bytes that count against the limit.
    #[must_use]
    pub fn queued(&self) -> (usize, usize) {
        self.link.queued()
    }

    /// Whether sending is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.link.is_open()
    }

    /// What the first request said.
    #[must_use]
    pub fn info(&self) -> &SocketInfo {
        self.link.info()
    }

    /// The code and reason with which this side closed the socket, if it did.
    pub(crate) fn ending(&self) -> Option<(u16, Box<str>)> {
        self.link.ending()
    }
}

impl fmt::Debug for SocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}
