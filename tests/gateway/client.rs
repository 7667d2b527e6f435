//! A client of the TCP bridge that hides nothing, and a bridge for it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus::Bus;
use trolleybus::access::limits::{Limits, LimitsConfig};
use trolleybus::access::{LivePolicy, Permitted, Policy};
use trolleybus::bridge::{self, BridgeBuilder, BridgeHook, BridgeOptions};
use trolleybus::gateway::{Authentication, TcpGateway, TcpOptions};
use trolleybus_tests::support::soon;

pub(crate) struct Bridge {
    pub(crate) addr: SocketAddr,
    pub(crate) bus: Bus,
    pub(crate) policy: LivePolicy,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

pub(crate) fn policy(inbound: &[Permitted], outbound: &[Permitted]) -> LivePolicy {
    LivePolicy::new(Policy::compile(inbound, outbound).unwrap())
}

pub(crate) fn open_policy() -> LivePolicy {
    policy(&[Permitted::all()], &[Permitted::all()])
}

impl Bridge {
    pub(crate) async fn open() -> Self {
        Self::with(open_policy(), TcpOptions::default()).await
    }

    pub(crate) async fn with(policy: LivePolicy, options: TcpOptions) -> Self {
        Self::authenticated(policy, options, None).await
    }

    pub(crate) async fn authenticated(
        policy: LivePolicy,
        options: TcpOptions,
        authentication: Option<Authentication>,
    ) -> Self {
        Self::limited(policy, options, authentication, &LimitsConfig::none()).await
    }

    pub(crate) async fn limited(
        policy: LivePolicy,
        options: TcpOptions,
        authentication: Option<Authentication>,
        limits: &LimitsConfig,
    ) -> Self {
        let (bus, limits) = (Bus::new(), Limits::new(limits));
        let gateway =
            TcpGateway::new(bus.clone(), policy.clone(), authentication, limits, options).unwrap();
        Self::serve(bus, policy, gateway).await
    }

    /// Beside a bridge with a hook that lets everything pass but what the hook says.
    pub(crate) async fn hooked(hook: impl BridgeHook) -> Self {
        Self::hooked_with(TcpOptions::default(), None, |builder| builder.hook(hook)).await
    }

    pub(crate) async fn hooked_with(
        options: TcpOptions,
        authentication: Option<Authentication>,
        more: impl FnOnce(BridgeBuilder) -> BridgeBuilder,
    ) -> Self {
        let open =
            BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
        Self::beside(open, options, authentication, more).await
    }

    /// Beside a bridge over SockJS, with its rules and hook.
    pub(crate) async fn beside(
        rules: BridgeOptions,
        options: TcpOptions,
        authentication: Option<Authentication>,
        more: impl FnOnce(BridgeBuilder) -> BridgeBuilder,
    ) -> Self {
        let bus = Bus::new();
        let bridge = more(bridge::Bridge::builder(bus.clone(), rules)).build().unwrap();
        let gateway = TcpGateway::beside(&bridge, authentication, options).unwrap();
        Self::serve(bus, bridge.policy(), gateway).await
    }

    async fn serve(bus: Bus, policy: LivePolicy, gateway: TcpGateway) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tasks.spawn(gateway.serve(listener, stop.clone(), tasks.clone()));
        Self { addr, bus, policy, stop, tasks }
    }

    pub(crate) async fn client(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream }
    }
}

pub(crate) struct Client<S> {
    pub(crate) stream: S,
}

pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(text.as_bytes());
    frame
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.write(&frame(text)).await;
    }

    pub(crate) async fn send(&mut self, envelope: Value) {
        self.send_text(&envelope.to_string()).await;
    }

    pub(crate) async fn next(&mut self) -> Value {
        let len = soon(self.stream.read_u32()).await.expect("connection ended");
        let mut text = vec![0; len.try_into().unwrap()];
        soon(self.stream.read_exact(&mut text)).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// What comes back for one envelope.
    pub(crate) async fn ask(&mut self, envelope: Value) -> Value {
        self.send(envelope).await;
        self.next().await
    }

    /// The word of the next frame, which must be a refusal.
    pub(crate) async fn refusal(&mut self) -> String {
        let refused = self.next().await;
        assert_eq!((&refused["type"], &refused["failureType"]), (&json!("err"), &json!("ERROR")));
        refused["message"].as_str().unwrap().to_owned()
    }

    /// All that was sent before has been dealt with, and nothing came of it that is not read.
    pub(crate) async fn settle(&mut self) {
        assert_eq!(self.ask(json!({"type": "ping"})).await, json!({"type": "pong"}));
    }

    pub(crate) async fn register(&mut self, address: &str) {
        self.send(json!({"type": "register", "address": address})).await;
        self.settle().await;
    }

    /// The server ends the stream, with nothing more to say.
    pub(crate) async fn ended(&mut self) {
        let mut rest = Vec::new();
        // A reset counts as an end.
        soon(self.stream.read_to_end(&mut rest)).await.ok();
        assert_eq!(rest, b"");
    }
}
