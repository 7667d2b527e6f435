//! All open sockets of a bridge, to look at them and to close them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use parking_lot::Mutex;
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::sockjs::Transport;
use trolleybus_protocol::{Address, Overflow};

use super::socket::BridgeSocket;
use crate::access::Principal;
use crate::session::{Outgoing, SendError, SocketInfo};

/// The number of a socket, counted up from 1 for each bridge. It is a name, not a secret: knowing it
/// opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(u64);

impl SocketId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for SocketId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What can be said about an open socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketView {
    /// Its number.
    pub id: SocketId,
    /// The transport of its first request.
    pub transport: Transport,
    /// The peer's address, when the app was served with connect info.
    pub remote_addr: Option<SocketAddr>,
    /// The subject of the token that it showed.
    pub subject: Option<String>,
    /// Since when it is open.
    pub opened: SystemTime,
    /// How many addresses and patterns it has registered.
    pub registrations: usize,
    /// Requests of its own under way.
    pub pending: usize,
    /// Requests of others that it has not answered yet.
    pub awaited: usize,
    /// Messages that wait for it.
    pub queued_messages: usize,
    /// Bytes that wait for it, as they count against the limit.
    pub queued_bytes: usize,
    /// Envelopes that it has sent.
    pub envelopes: u64,
}

/// One registration of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationView {
    /// The address or pattern.
    pub address: Address,
    /// Whether it is a pattern.
    pub is_pattern: bool,
    /// What becomes of messages that the client does not keep up with.
    pub overflow: Overflow,
}

/// One socket, as a hook gets it: to ask who is behind it, to write to it and to close it. Clones
/// are cheap and outlive the socket.
#[derive(Clone)]
pub struct SocketHandle(Arc<BridgeSocket>);

impl SocketHandle {
    pub(super) fn new(socket: Arc<BridgeSocket>) -> Self {
        Self(socket)
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> SocketId {
        self.0.id
    }

    /// What its first request said.
    #[must_use]
    pub fn info(&self) -> &SocketInfo {
        self.0.sender.info()
    }

    /// Who is behind it, as far as a token has said so.
    #[must_use]
    pub fn principal(&self) -> Option<Arc<Principal>> {
        self.0.rights.principal()
    }

    /// Queues a text for the client as it is, past all rules: JSON of the application's own, such
    /// as `{"event":"welcome"}`.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&self, text: impl Into<Outgoing>) -> Result<(), SendError> {
        self.0.sender.send(text)
    }

    /// Closes the socket after what is queued; see
    /// [`SocketSender::close`](crate::sockjs::SocketSender::close).
    pub fn close(&self, code: u16, reason: &str) {
        self.0.sender.close(code, reason);
    }

    /// What can be said about it.
    #[must_use]
    pub fn view(&self) -> SocketView {
        let socket = &*self.0;
        let (info, principal) = (socket.sender.info(), socket.rights.principal());
        let (queued_messages, queued_bytes) = socket.sender.queued();
        SocketView {
            id: socket.id,
            transport: info.transport(),
            remote_addr: info.remote_addr(),
            subject: principal.and_then(|principal| principal.subject().map(str::to_owned)),
            opened: socket.opened(),
            registrations: socket.registrations.lock().len(),
            pending: socket.pending.lock().len(),
            awaited: socket.awaited.lock().len(),
            queued_messages,
            queued_bytes,
            envelopes: socket.envelopes.load(Ordering::Relaxed),
        }
    }

    /// What it has registered, sorted by address.
    #[must_use]
    pub fn registrations(&self) -> Vec<RegistrationView> {
        let registrations = self.0.registrations.lock();
        let view = registrations.iter().map(|held| RegistrationView {
            address: held.address().clone(),
            is_pattern: held.is_pattern(),
            overflow: held.overflow,
        });
        view.collect()
    }
}

impl fmt::Debug for SocketHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketHandle").field(&self.0.id).finish()
    }
}

/// The open sockets by number.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    by_id: Mutex<BTreeMap<SocketId, Weak<BridgeSocket>>>,
}

impl Sockets {
    pub(super) fn insert(&self, socket: &Arc<BridgeSocket>) {
        self.by_id.lock().insert(socket.id, Arc::downgrade(socket));
    }

    pub(super) fn remove(&self, id: SocketId) {
        self.by_id.lock().remove(&id);
    }

    pub(super) fn get(&self, id: SocketId) -> Option<SocketHandle> {
        self.by_id.lock().get(&id).and_then(Weak::upgrade).map(SocketHandle)
    }

    /// Up to `limit` sockets behind `after`, in the order of their numbers.
    pub(super) fn page(&self, after: Option<SocketId>, limit: usize) -> Vec<SocketHandle> {
        let from = after.map_or(Unbounded, Excluded);
        let by_id = self.by_id.lock();
        let page = by_id.range((from, Unbounded)).filter_map(|(_, socket)| socket.upgrade());
        page.take(limit).map(SocketHandle).collect()
    }

    /// Closes one socket; false when there is none.
    pub(super) fn kick(&self, id: SocketId) -> bool {
        let socket = self.get(id);
        if let Some(SocketHandle(socket)) = &socket {
            socket.close_with(Close::KICKED);
        }
        socket.is_some()
    }

    /// Closes all sockets of a subject, and gives how many that were.
    pub(super) fn kick_subject(&self, subject: &str) -> usize {
        let sockets = self.page(None, usize::MAX).into_iter();
        let of_subject = sockets.filter(|socket| {
            socket.principal().is_some_and(|principal| principal.subject() == Some(subject))
        });
        of_subject.inspect(|socket| socket.0.close_with(Close::KICKED)).count()
    }
}
