//! What this room asks of the others; `app` answers for them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use trolleybus_protocol::Body;

use super::Samples;

/// One socket, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SocketView {
    /// Its number, unique in the life of the server.
    pub id: u64,
    /// How it reaches the server: `websocket`, `xhr-streaming`, ...
    pub transport: &'static str,
    /// Address and port of the peer, if known.
    pub remote_addr: Option<String>,
    /// Who it is, if it has shown a token.
    pub subject: Option<String>,
    /// How long it has been open, in milliseconds.
    pub age_ms: u64,
    /// Registrations that it holds.
    pub registrations: usize,
    /// Requests of its own under way.
    pub requests: usize,
    /// Requests of others that it has not answered yet.
    pub requests_to_answer: usize,
    /// Envelopes that it has sent.
    pub envelopes: u64,
    /// Messages that wait for it.
    pub outbox_messages: usize,
    /// Bytes that wait for it.
    pub outbox_bytes: usize,
}

/// One registration of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationView {
    /// The socket that holds it.
    pub socket: u64,
    /// The address, or the text of the pattern.
    pub address: String,
    /// Whether the address is a pattern.
    pub is_pattern: bool,
}

/// One address or pattern that somebody consumes, clients and services alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressView {
    /// The address, or the text of the pattern.
    pub address: String,
    /// How many consume it.
    pub registrations: usize,
    /// Messages that came to it since its first registration.
    pub messages: u64,
}

/// The sockets. All calls look into every socket, so pages are for people and not for loops.
pub trait Sockets: Send + Sync + 'static {
    /// At most `limit` sockets with a greater number than `after`, by number.
    fn page(&self, after: u64, limit: usize) -> Vec<SocketView>;
    /// One socket.
    fn find(&self, id: u64) -> Option<SocketView>;
    /// Registrations of the sockets with a greater number than `after`, by number: those of whole
    /// sockets, until there are `limit` or more.
    fn registrations(&self, after: u64, limit: usize) -> Vec<RegistrationView>;
    /// Closes a socket as kicked; false when there is none.
    fn kick(&self, id: u64) -> bool;
    /// Closes all sockets of a user as kicked, and gives how many.
    fn kick_subject(&self, subject: &str) -> usize;
}

/// The addresses that somebody consumes.
pub trait Addresses: Send + Sync + 'static {
    /// At most `limit` addresses that start with `prefix` and sort behind `after`, in order.
    fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<AddressView>;
    /// The same for patterns.
    fn patterns(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<AddressView>;
}

/// Messages in the name of the operator: no rule is asked.
pub trait Messages: Send + Sync + 'static {
    /// To all consumers; gives how many.
    fn publish(&self, address: &str, body: Body) -> usize;
    /// To one consumer; false when there is none.
    fn send(&self, address: &str, body: Body) -> bool;
}

/// Why rules were not read again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// The server was started without a configuration to read again.
    #[error("there is no configuration that could be read again")]
    Nothing,
    /// What was read is wrong; the old rules stay.
    #[error("{0}")]
    Wrong(String),
}

/// The configuration.
pub trait Settings: Send + Sync + 'static {
    /// The configuration, with the rules that are in force now. Values of keys that sound secret are not shown, whatever is
    /// given here.
    fn config(&self) -> Value;
    /// Reads the rules again. Connections stay.
    ///
    /// # Errors
    /// When there is nothing to read, or what is read makes no sense.
    fn reload_rules(&self) -> Result<(), ReloadError>;
}

/// Everything that is measured.
pub trait Readings: Send + Sync + 'static {
    /// Reads all counters.
    fn read(&self, samples: &mut Samples);
}

/// All of them.
#[derive(Clone)]
pub struct Ports {
    /// The sockets.
    pub sockets: Arc<dyn Sockets>,
    /// The addresses.
    pub addresses: Arc<dyn Addresses>,
    /// Messages of the operator.
    pub messages: Arc<dyn Messages>,
    /// The configuration.
    pub settings: Arc<dyn Settings>,
    /// Everything that is measured.
    pub readings: Arc<dyn Readings>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
