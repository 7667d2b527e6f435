//! A bridge on a free port, and clients that speak envelopes.

use std::net::SocketAddr;

use axum::Router;
use serde_json::{Value, json};
use trolleybus::Bus;
use trolleybus::bridge::{
    Bridge, BridgeBuilder, BridgeHook, BridgeOptions, Limits, LimitsConfig, Permitted,
};

use crate::support::server::serve;
use crate::support::websocket::Client as WebSocket;

/// Permits everything.
pub(crate) fn open() -> BridgeOptions {
    BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all())
}

/// A bridge, and the bus behind it.
pub(crate) struct Server {
    pub(crate) bus: Bus,
    pub(crate) addr: SocketAddr,
    pub(crate) bridge: Bridge,
}

impl Server {
    pub(crate) async fn start(options: BridgeOptions) -> Self {
        Self::build(options, |builder| builder).await
    }

    /// A bridge that is told more about.
    pub(crate) async fn build(
        options: BridgeOptions,
        more: impl FnOnce(BridgeBuilder) -> BridgeBuilder,
    ) -> Self {
        let bus = Bus::new();
        let bridge = more(Bridge::builder(bus.clone(), options)).build().unwrap();
        let app = Router::new().nest_service("/eventbus", bridge.router());
        Self { bus, addr: serve(app).await, bridge }
    }

    pub(crate) async fn limited(options: BridgeOptions, limits: &LimitsConfig) -> Self {
        Self::build(options, |builder| builder.limits(Limits::new(limits))).await
    }

    /// A bridge that lets everything pass, with a hook.
    pub(crate) async fn hooked(hook: impl BridgeHook) -> Self {
        Self::build(open(), |builder| builder.hook(hook)).await
    }

    pub(crate) async fn open() -> Self {
        Self::start(open()).await
    }

    pub(crate) async fn client(&self) -> Client {
        self.client_with("").await
    }

    /// A client whose first request has a query string.
    pub(crate) async fn client_with(&self, query: &str) -> Client {
        let path = format!("/eventbus/000/session/websocket{query}");
        let mut socket = WebSocket::open(self.addr, &path).await;
        assert_eq!(socket.text().await, "o");
        Client { socket }
    }
}

/// A client over SockJS on a WebSocket.
pub(crate) struct Client {
    pub(crate) socket: WebSocket,
}

impl Client {
    pub(crate) async fn send(&mut self, envelope: Value) {
        self.send_text(&envelope.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(&json!([text]).to_string()).await;
    }

    /// The next envelope as text, one per frame.
    pub(crate) async fn text(&mut self) -> String {
        let frame = self.socket.text().await;
        let array = frame.strip_prefix('a').unwrap_or_else(|| panic!("not a message: {frame}"));
        let [text] = serde_json::from_str::<[String; 1]>(array).unwrap();
        text
    }

    pub(crate) async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The word of the next envelope, which must be a refusal.
    pub(crate) async fn refusal(&mut self) -> String {
        let envelope = self.receive().await;
        assert_eq!(envelope["type"], "err", "{envelope}");
        envelope["body"].as_str().unwrap_or_else(|| panic!("no word in {envelope}")).to_owned()
    }

    pub(crate) async fn register(&mut self, address: &str) {
        self.send(json!({"type": "register", "address": address})).await;
        self.settle().await;
    }

    /// Waits until the server has handled everything sent so far. Nothing else may arrive.
    pub(crate) async fn settle(&mut self) {
        self.send(json!({"type": "settle", "address": ""})).await;
        assert_eq!(self.refusal().await, "invalid_type");
    }
}
