//! Limits of the gateways: plain values, as a configuration file holds them.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::{ConfigError, Origins};

/// Settings of the TCP bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TcpOptions {
    /// Address and port to listen on, 7000 by convention; without it there is no TCP bridge.
    pub listen: Option<SocketAddr>,
    /// Open connections; a further one is closed at once: 10,000.
    pub max_connections: usize,
    /// Longest frame of a client, in bytes: 262,144. A longer one ends the connection.
    pub max_frame_size: usize,
    /// Bytes that may wait for a slow client before its connection is cut: 1,048,576. As many may be
    /// on their way into the network.
    pub max_outbox_size: usize,
    /// Longest address that can be registered, and longest reply address, in UTF-16 units: 200.
    pub max_address_length: usize,
    /// Registrations and requests under way, together, on one connection: 1000.
    pub max_handlers_per_socket: usize,
    /// Requests of others that one connection may have to answer at a time: 1000. A further one is
    /// not delivered, and its requester is told at once.
    pub max_awaited_replies: usize,
    /// Longest time a request may take: 30,000 ms.
    pub reply_timeout_ms: u64,
    /// A connection that sends nothing for this long is closed; 0 never does: 300,000 ms. The clients
    /// of Vert.x send a ping every 5 s.
    pub idle_timeout_ms: u64,
    /// Time that a client may leave unread or unacknowledged what was sent to it, after which its
    /// connection is cut: 30,000 ms.
    pub write_timeout_ms: u32,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            listen: None,
            max_connections: 10_000,
            max_frame_size: 262_144,
            max_outbox_size: 1_048_576,
            max_address_length: 200,
            max_handlers_per_socket: 1000,
            max_awaited_replies: 1000,
            reply_timeout_ms: 30_000,
            idle_timeout_ms: 300_000,
            write_timeout_ms: 30_000,
        }
    }
}

impl TcpOptions {
    pub(super) fn reply_timeout(&self) -> Duration {
        Duration::from_millis(self.reply_timeout_ms)
    }

    pub(super) fn idle_timeout(&self) -> Option<Duration> {
        (self.idle_timeout_ms > 0).then(|| Duration::from_millis(self.idle_timeout_ms))
    }

    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        at_least_one(&[
            ("max_connections", self.max_connections as u64),
            ("max_frame_size", self.max_frame_size as u64),
            ("max_outbox_size", self.max_outbox_size as u64),
            ("max_address_length", self.max_address_length as u64),
            ("max_handlers_per_socket", self.max_handlers_per_socket as u64),
            ("max_awaited_replies", self.max_awaited_replies as u64),
            ("reply_timeout_ms", self.reply_timeout_ms),
            ("write_timeout_ms", self.write_timeout_ms.into()),
        ])
    }
}

/// Settings of the HTTP gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpOptions {
    /// Path of the gateway, such as `/api`; without it there is no HTTP gateway.
    pub path: Option<String>,
    /// Origins whose pages may use it beside those that come from this server itself, as in
    /// `https://shop.example`, `https://*.shop.example` or `null`; `*` allows all: none.
    pub allowed_origins: Vec<String>,
    /// Longest body of a message, in bytes: 262,144.
    pub max_body_size: usize,
    /// Time that a body may take to come in: 10,000 ms.
    pub body_timeout_ms: u64,
    /// Longest address, in UTF-16 units: 200.
    pub max_address_length: usize,
    /// Requests that may wait for their answers at a time: 1000.
    pub max_requests: usize,
    /// Longest time a request may take: 30,000 ms.
    pub reply_timeout_ms: u64,
    /// Open streams of server-sent events: 1000.
    pub max_streams: usize,
    /// Bytes that may wait for a slow reader of a stream, before the oldest of its messages are
    /// dropped: 262,144.
    pub max_stream_queue: usize,
    /// Time between comments that keep a silent stream alive: 15,000 ms.
    pub keep_alive_ms: u64,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            path: None,
            allowed_origins: Vec::new(),
            max_body_size: 262_144,
            body_timeout_ms: 10_000,
            max_address_length: 200,
            max_requests: 1000,
            reply_timeout_ms: 30_000,
            max_streams: 1000,
            max_stream_queue: 262_144,
            keep_alive_ms: 15_000,
        }
    }
}

impl HttpOptions {
    pub(super) fn reply_timeout(&self) -> Duration {
        Duration::from_millis(self.reply_timeout_ms)
    }

    /// The pages that may use it.
    pub(super) fn origins(&self) -> Result<Origins, ConfigError> {
        Origins::own_and(&self.allowed_origins)
            .map_err(|error| ConfigError::new("allowed_origins", error.to_string()))
    }

    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(path) = self.path.as_deref().filter(|path| !is_path(path)) {
            let problem = format!("is `{path}`; it must look like `/api`");
            return Err(ConfigError::new("path", problem));
        }
        self.origins()?;
        at_least_one(&[
            ("max_body_size", self.max_body_size as u64),
            ("body_timeout_ms", self.body_timeout_ms),
            ("max_address_length", self.max_address_length as u64),
            ("max_requests", self.max_requests as u64),
            ("reply_timeout_ms", self.reply_timeout_ms),
            ("max_streams", self.max_streams as u64),
            ("max_stream_queue", self.max_stream_queue as u64),
            ("keep_alive_ms", self.keep_alive_ms),
        ])
    }
}

fn at_least_one(values: &[(&str, u64)]) -> Result<(), ConfigError> {
    match values.iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => Err(ConfigError::new(*key, "must be at least 1")),
        None => Ok(()),
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() > 1 && !path.ends_with('/') && !path.contains(['{', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_sense_are_named() {
        let http = |change: fn(&mut HttpOptions)| {
            let mut options = HttpOptions::default();
            change(&mut options);
            options.validate().map_err(|error| error.key)
        };
        assert_eq!(http(|_| {}), Ok(()));
        assert_eq!(http(|options| options.path = Some("api".into())), Err("path".into()));
        assert_eq!(http(|options| options.path = Some("/api/".into())), Err("path".into()));
        assert_eq!(http(|options| options.keep_alive_ms = 0), Err("keep_alive_ms".into()));
        for origin in ["shop.example", "https://shop.example/", ""] {
            let mut options = HttpOptions::default();
            options.allowed_origins.push(origin.to_owned());
            assert!(options.validate().is_err(), "{origin}");
        }
        let tcp = TcpOptions { max_frame_size: 0, ..TcpOptions::default() };
        assert_eq!(tcp.validate().unwrap_err().key, "max_frame_size");
        assert!(TcpOptions { idle_timeout_ms: 0, ..TcpOptions::default() }.validate().is_ok());
    }
}
