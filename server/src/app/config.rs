//! The configuration: plain values, each with a default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client_ip::ForwardedHeader;
use super::telemetry::TelemetryConfig;
use super::tls::TlsConfig;
use crate::access::ConfigError;
use crate::access::limits::{LimitsConfig, Network};
use crate::admin::AdminConfig;
use crate::auth::AuthConfig;
use crate::bridge::BridgeOptions;
use crate::gateway::{HttpOptions, TcpOptions};
use crate::sockjs::{self, Origins, Transport};

/// All that a server can be told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and what it serves.
    pub server: ServerConfig,
    /// Rules and limits of the bridge.
    pub bridge: BridgeOptions,
    /// The transports below it.
    pub sockjs: SockJsConfig,
    /// What operators see and do.
    pub admin: AdminConfig,
    /// What the process says of itself.
    pub telemetry: TelemetryConfig,
    /// How much clients may do.
    pub limits: LimitsConfig,
    /// Whose tokens are trusted.
    pub auth: AuthConfig,
    /// The certificate to serve with.
    pub tls: TlsConfig,
    /// Other ways in.
    pub gateway: GatewayConfig,
}

/// Ways in beside the bridge over SockJS, under the same rules. Each is off unless it is told where
/// to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// The bridge over TCP.
    pub tcp: TcpOptions,
    /// Publish, send, request and subscribe over HTTP.
    pub http: HttpOptions,
}

/// Where and what a server serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port: `127.0.0.1:8080`. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Path of the bridge: `/eventbus`.
    pub path: String,
    /// Folder of static files to serve at `/`: none.
    pub www: Option<PathBuf>,
    /// Open TCP connections; a further one is closed at once: 20,000.
    pub max_connections: usize,
    /// Time a client has to send the head of a request: 10,000 ms.
    pub header_timeout_ms: u64,
    /// Time that a client may leave what was sent to it unread or unacknowledged, after which its
    /// connection is cut: 30,000 ms.
    pub write_timeout_ms: u32,
    /// Time that clients have to leave on shutdown: 5,000 ms.
    pub drain_timeout_ms: u64,
    /// Sockets that are told to leave in each second of a shutdown, in no order: 1000. More where
    /// the drain timeout would end before the last is told; 0 tells all at once.
    pub drain_rate: u32,
    /// Networks of proxies that may say for whom they speak: none.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say it: `x-forwarded-for`.
    pub forwarded_header: ForwardedHeader,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            path: "/eventbus".to_owned(),
            www: None,
            max_connections: 20_000,
            header_timeout_ms: 10_000,
            write_timeout_ms: 30_000,
            drain_timeout_ms: 5_000,
            drain_rate: 1_000,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
        }
    }
}

/// Settings of the SockJS transports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SockJsConfig {
    /// Time between heartbeats: 25,000 ms.
    pub heartbeat_ms: u64,
    /// How long an HTTP session lives without a receiver: 5,000 ms.
    pub disconnect_delay_ms: u64,
    /// Bytes of one streaming response, after which the client opens another: 131,072.
    pub response_limit: usize,
    /// Longest message of a client, in bytes: 262,144.
    pub max_message_size: usize,
    /// Compress messages on WebSockets whose client offers permessage-deflate: true.
    pub compression: bool,
    /// Shortest message that is compressed, in bytes: 1,024.
    pub compression_threshold: usize,
    /// Longest body of an upload request, in bytes: 1,048,576.
    pub max_upload_size: usize,
    /// Bytes that may wait for a slow client before its socket is closed: 1,048,576.
    pub max_outbox_size: usize,
    /// Open sockets; a further one is refused: 20,000.
    pub max_sockets: usize,
    /// Transports that are switched off: none.
    pub disabled_transports: Vec<String>,
    /// Origins of the pages that may use the server, as in `https://app.example.com` or
    /// `https://*.example.com`; `self` for its own, `null` for pages without one: any.
    pub allowed_origins: Vec<String>,
    /// Refuse clients that tell no origin, as native ones do: false.
    pub require_origin: bool,
    /// Set the `JSESSIONID` cookie that some load balancers stick to: false.
    pub jsessionid: bool,
    /// Where the iframe helper page loads `sockjs-client` from; must start with `/` or `http`.
    pub client_url: String,
}

impl Default for SockJsConfig {
    fn default() -> Self {
        let options = sockjs::Options::default();
        Self {
            heartbeat_ms: 25_000,
            disconnect_delay_ms: 5_000,
            response_limit: options.response_limit,
            max_message_size: options.max_message_size,
            compression: true,
            compression_threshold: 1024,
            max_upload_size: options.max_upload_size,
            max_outbox_size: options.max_outbox_size,
            max_sockets: 20_000,
            disabled_transports: Vec::new(),
            allowed_origins: Vec::new(),
            require_origin: false,
            jsessionid: false,
            client_url: options.client_url,
        }
    }
}

impl Config {
    /// Checks that the values make sense together.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let path = &self.server.path;
        if !path.starts_with('/')
            || path.len() < 2
            || path.ends_with('/')
            || path.contains(['{', '*'])
        {
            let problem = format!("is `{path}`; it must look like `/eventbus`");
            return Err(ConfigError::new("server.path", problem));
        }
        self.sockjs.options()?;
        self.admin.validate().map_err(|error| error.within("admin"))?;
        self.telemetry.validate().map_err(|error| error.within("telemetry"))?;
        self.validate_paths()?;
        self.limits.validate().map_err(|error| error.within("limits"))?;
        self.auth.validate().map_err(|error| error.within("auth"))?;
        self.check_cookie()?;
        self.tls.validate().map_err(|error| error.within("tls"))?;
        self.gateway.validate(path)?;
        self.bridge.validate().map_err(|error| error.within("bridge"))
    }
}

impl Config {
    /// Reads the files that the configuration names and checks what is in them: keys, certificates.
    ///
    /// # Errors
    /// The first that cannot be used, by its key.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        self.auth.check_files().map_err(|error| error.within("auth"))?;
        self.tls.check_files().map_err(|error| error.within("tls"))
    }

    /// A browser sends cookies along for whatever page asks it to connect, so a token in a cookie
    /// says nothing unless the page's origin is checked.
    fn check_cookie(&self) -> Result<(), ConfigError> {
        let origins = &self.sockjs.allowed_origins;
        let is_open = origins.is_empty()
            || origins.iter().any(|one| one == "*" || one.eq_ignore_ascii_case("null"));
        if self.auth.cookie.is_some() && is_open {
            let problem = "needs the sites that may connect in `sockjs.allowed_origins`, and no \
                           `null` there: else any page in a user's browser can use the user's cookie";
            return Err(ConfigError::new("auth.cookie", problem));
        }
        let origins = &self.gateway.http.allowed_origins;
        let is_open = origins.iter().any(|one| one == "*" || one.eq_ignore_ascii_case("null"));
        if self.auth.cookie.is_some() && is_open {
            let problem = "has `*` or `null`, with which any page in a user's browser can use the user's \
                           cookie (`auth.cookie`); name the sites";
            return Err(ConfigError::new("gateway.http.allowed_origins", problem));
        }
        Ok(())
    }
}

impl GatewayConfig {
    fn validate(&self, bridge_path: &str) -> Result<(), ConfigError> {
        self.tcp.validate().map_err(|error| error.within("gateway.tcp"))?;
        self.http.validate().map_err(|error| error.within("gateway.http"))?;
        if self.http.path.as_deref() == Some(bridge_path) {
            let problem = format!("is `{bridge_path}`, where the bridge is (`server.path`)");
            return Err(ConfigError::new("gateway.http.path", problem));
        }
        Ok(())
    }
}

impl Config {
    /// The paths of the main listener must not be taken twice.
    fn validate_paths(&self) -> Result<(), ConfigError> {
        let first = self.server.path.split('/').nth(1).unwrap_or_default();
        let is_probe = matches!(first, "healthz" | "readyz") && self.admin.probes_on_server;
        if is_probe || (first == "admin" && self.admin.on_server) {
            let problem = format!("starts with `/{first}`, which is taken by [admin]");
            return Err(ConfigError::new("server.path", problem));
        }
        Ok(())
    }
}

impl SockJsConfig {
    /// The settings as the SockJS layer takes them.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn options(&self) -> Result<sockjs::Options, ConfigError> {
        let positive = [
            ("sockjs.heartbeat_ms", self.heartbeat_ms),
            ("sockjs.disconnect_delay_ms", self.disconnect_delay_ms),
            ("sockjs.response_limit", self.response_limit as u64),
            ("sockjs.max_message_size", self.max_message_size as u64),
            ("sockjs.compression_threshold", self.compression_threshold as u64),
            ("sockjs.max_upload_size", self.max_upload_size as u64),
            ("sockjs.max_outbox_size", self.max_outbox_size as u64),
            ("sockjs.max_sockets", self.max_sockets as u64),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::new(*key, "must be at least 1"));
        }
        if !self.client_url.starts_with('/') && !self.client_url.starts_with("http") {
            let problem = "must start with `/` or `http`";
            return Err(ConfigError::new("sockjs.client_url", problem));
        }
        let origins = Origins::new(&self.allowed_origins, self.require_origin)
            .map_err(|error| ConfigError::new("sockjs.allowed_origins", error.to_string()))?;
        let mut options = sockjs::Options {
            origins,
            heartbeat_interval: Duration::from_millis(self.heartbeat_ms),
            disconnect_delay: Duration::from_millis(self.disconnect_delay_ms),
            response_limit: self.response_limit,
            max_message_size: self.max_message_size,
            compression_threshold: self.compression.then_some(self.compression_threshold),
            max_upload_size: self.max_upload_size,
            max_outbox_size: self.max_outbox_size,
            max_sockets: self.max_sockets,
            jsessionid: self.jsessionid,
            client_url: self.client_url.clone(),
            ..sockjs::Options::default()
        };
        for name in &self.disabled_transports {
            options.disabled_transports = options.disabled_transports.with(transport(name)?);
        }
        Ok(options)
    }
}

fn transport(name: &str) -> Result<Transport, ConfigError> {
    name.parse().map_err(|_| {
        let known: Vec<_> = Transport::ALL.iter().map(|transport| transport.as_str()).collect();
        let problem = format!("has `{name}`; allowed are {}", known.join(", "));
        ConfigError::new("sockjs.disabled_transports", problem)
    })
}
