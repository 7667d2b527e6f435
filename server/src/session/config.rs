//! What a SockJS service can be told.

use std::time::Duration;

use trolleybus_protocol::sockjs::TransportSet;

use super::Door;
use crate::access::Origins;

/// Settings of one SockJS service.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time between heartbeats, up to a year. Default 25 s; the stock client's JSONP gives up after 35 s.
    pub heartbeat_interval: Duration,
    /// How long an HTTP session outlives its last receiver. Default 5 s.
    pub disconnect_delay: Duration,
    /// How long a request body may take, 408 after it. Default 30 s.
    pub body_timeout: Duration,
    /// How long a closing WebSocket may take to flush and to answer before it is dropped. Default 3 s.
    pub close_timeout: Duration,
    /// Bytes after which a streaming response ends and the client opens the next. Default 128 KiB.
    pub response_limit: usize,
    /// Where the iframe page takes the client script from; must match the version that pages use.
    /// Default `https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js`.
    pub client_url: String,
    /// The `base_url` of `/info`, when transports live elsewhere. Default none.
    pub base_url: Option<String>,
    /// Set the `JSESSIONID` cookie that old load balancers stick to. Default off.
    pub jsessionid: bool,
    /// Asked for each new socket before there is one. Default none: everybody may have one.
    pub door: Option<Door>,
    /// Pages that may use the service, 403 for others. Default any, as SockJS has it.
    pub origins: Origins,
    /// Transports that are refused with 404. Default none.
    pub disabled_transports: TransportSet,
    /// Messages of so many bytes or more are compressed on WebSockets whose client offers
    /// permessage-deflate (RFC 7692), if that makes them smaller by an eighth. None declines what
    /// clients offer. Default 1 KiB: what fits into one packet is not worth it.
    pub compression_threshold: Option<usize>,
    /// Deliver messages on raw WebSockets as binary frames, as Vert.x's bridge does. Default off.
    pub raw_binary: bool,
    /// Longest incoming message in bytes; a longer one closes the WebSocket with 1009 or is refused
    /// with 413. Default 256 KiB.
    pub max_message_size: usize,
    /// Longest upload body in bytes, 413 above. Default 1 MiB.
    pub max_upload_size: usize,
    /// Bytes that may wait to be sent on one socket; above it the socket is closed as slow consumer.
    /// An empty outbox takes any message. Default 1 MiB.
    pub max_outbox_size: usize,
    /// Incoming messages that may wait for the service; beyond it the peer waits. Default 256.
    pub max_inbox_len: usize,
    /// Bytes that may wait for the service; beyond it the peer waits. Default 1 MiB.
    pub max_inbox_size: usize,
    /// Open sockets of the service, 503 above. Default 100,000.
    pub max_sockets: usize,
}

/// Longest duration that is honoured, so that no clock overflows: a year.
const LONGEST: Duration = Duration::from_secs(31_536_000);

impl Options {
    /// Times of zero and for ever are brought into the range that timers can keep.
    pub(crate) fn within_reason(mut self) -> Self {
        for duration in [
            &mut self.heartbeat_interval,
            &mut self.disconnect_delay,
            &mut self.body_timeout,
            &mut self.close_timeout,
        ] {
            *duration = (*duration).clamp(Duration::from_millis(1), LONGEST);
        }
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_secs(25),
            disconnect_delay: Duration::from_secs(5),
            body_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(3),
            response_limit: 128 * 1024,
            client_url: "https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js".into(),
            base_url: None,
            jsessionid: false,
            door: None,
            origins: Origins::any(),
            disabled_transports: TransportSet::new(),
            compression_threshold: Some(1024),
            raw_binary: false,
            max_message_size: 256 * 1024,
            max_upload_size: 1024 * 1024,
            max_outbox_size: 1024 * 1024,
            max_inbox_len: 256,
            max_inbox_size: 1024 * 1024,
            max_sockets: 100_000,
        }
    }
}
