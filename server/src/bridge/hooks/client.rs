//! The client behind an event: a socket, a connection of the TCP bridge, or a call over HTTP.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::access::Principal;
use crate::bridge::sockets::SocketHandle;
use crate::session::SendError;

/// How a client came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ClientKind {
    /// Over SockJS, by whatever transport.
    SockJs,
    /// Over the TCP bridge.
    Tcp,
    /// By a call of the HTTP gateway. Each call is a client of its own, and so is each stream of
    /// server-sent events.
    Http,
}

impl ClientKind {
    /// The name: `sockjs`, `tcp` or `http`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SockJs => "sockjs",
            Self::Tcp => "tcp",
            Self::Http => "http",
        }
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a gateway lets a hook do with one of its clients.
pub(crate) trait Peer: Send + Sync {
    fn kind(&self) -> ClientKind;
    fn number(&self) -> u64;
    fn remote_addr(&self) -> Option<SocketAddr>;
    fn principal(&self) -> Option<Arc<Principal>>;
    fn send(&self, text: &str) -> Result<(), SendError>;
    fn close(&self);
}

/// The client behind an event, however it came in: to ask who it is, to write to it and to close it.
/// Clones are cheap and outlive the client.
#[derive(Clone)]
pub struct Client(Behind);

#[derive(Clone)]
enum Behind {
    Socket(SocketHandle),
    Peer(Arc<dyn Peer>),
}

impl Client {
    pub(crate) fn of_gateway(peer: Arc<dyn Peer>) -> Self {
        Self(Behind::Peer(peer))
    }

    pub(in crate::bridge) fn of_socket(socket: SocketHandle) -> Self {
        Self(Behind::Socket(socket))
    }

    /// The socket, where it came over SockJS.
    #[must_use]
    pub fn socket(&self) -> Option<&SocketHandle> {
        match &self.0 {
            Behind::Socket(socket) => Some(socket),
            Behind::Peer(_) => None,
        }
    }

    /// How it came in.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        match &self.0 {
            Behind::Socket(_) => ClientKind::SockJs,
            Behind::Peer(peer) => peer.kind(),
        }
    }

    /// Its number among the clients of its kind, counted up from 1 for each bridge or gateway. With the
    /// kind it names the client.
    #[must_use]
    pub fn number(&self) -> u64 {
        match &self.0 {
            Behind::Socket(socket) => socket.id().get(),
            Behind::Peer(peer) => peer.number(),
        }
    }

    /// The peer's address; over SockJS and HTTP when the app was served with connect info.
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Behind::Socket(socket) => socket.info().remote_addr(),
            Behind::Peer(peer) => peer.remote_addr(),
        }
    }

    /// Who is behind it, as far as a token has said so.
    #[must_use]
    pub fn principal(&self) -> Option<Arc<Principal>> {
        match &self.0 {
            Behind::Socket(socket) => socket.principal(),
            Behind::Peer(peer) => peer.principal(),
        }
    }

    /// Queues a text for the client as it is, past all rules: JSON of the application's own, such
    /// as `{"event":"welcome"}`. Over HTTP there is nowhere to write it.
    ///
    /// # Errors
    /// See [`SendError`]; over HTTP always [`SendError::Closed`].
    pub fn send(&self, text: &str) -> Result<(), SendError> {
        match &self.0 {
            Behind::Socket(socket) => socket.send(text.to_owned()),
            Behind::Peer(peer) => peer.send(text),
        }
    }

    /// Closes the client's socket after what is queued, as [`SocketHandle::close`] does. Over TCP the
    /// connection ends, without code and reason; a call over HTTP is not closed, it can be
    /// rejected.
    pub fn close(&self, code: u16, reason: &str) {
        match &self.0 {
            Behind::Socket(socket) => socket.close(code, reason),
            Behind::Peer(peer) => peer.close(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.kind()).field(&self.number()).finish()
    }
}
