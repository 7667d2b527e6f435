//! A whole server, and an honest pair of clients on it.

use std::net::SocketAddr;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use trolleybus::Bus;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeOptions, Permitted};

use crate::support::{soon, websocket::Client};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts the panics of the server's own code, in whatever task.
fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", panic::Location::file);
            if file.contains("server/src") || file.contains("protocol/src") {
                PANICS.fetch_add(1, SeqCst);
            }
            before(info);
        }));
    });
}

pub(crate) struct Victim {
    pub(crate) addr: SocketAddr,
    pub(crate) bus: Bus,
    /// The TCP bridge, where the configuration has one.
    pub(crate) tcp: Option<SocketAddr>,
    publisher: Client,
    subscriber: Client,
    sent: u64,
    _stop: oneshot::Sender<()>,
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.header_timeout_ms = 300;
    config.sockjs.max_message_size = 32 * 1024;
    config.sockjs.max_upload_size = 64 * 1024;
    config.bridge =
        BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
    config
}

impl Victim {
    pub(crate) async fn start() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        count_panics();
        let listener = bind(config.server.listen).unwrap();
        let (addr, bus) = (listener.local_addr().unwrap(), Bus::new());
        let mut app = App::new(bus.clone(), config).unwrap();
        let tcp = app.bind_tcp_gateway().unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(app.run(listener, async {
            stopped.await.ok();
        }));
        let publisher = sockjs(addr, "publisher").await;
        let mut subscriber = sockjs(addr, "subscriber").await;
        say(&mut subscriber, &json!({"type": "register", "address": "honest"})).await;
        settle(&mut subscriber).await;
        Self { addr, bus, tcp, publisher, subscriber, sent: 0, _stop: stop }
    }

    /// An attacker on a WebSocket of its own.
    pub(crate) async fn attacker(&self) -> Client {
        sockjs(self.addr, "attacker").await
    }

    /// An attacker from somewhere else, as a trusted proxy tells.
    pub(crate) async fn attacker_from(&self, forwarded: &str) -> Client {
        let path = "/eventbus/000/attacker/websocket";
        let headers = [("x-forwarded-for", forwarded)];
        let mut client = Client::open_with(self.addr, path, &headers).await;
        assert_eq!(client.text().await, "o");
        client
    }

    /// Some honest messages, which must arrive whole and in order.
    pub(crate) async fn serves(&mut self) {
        let first = self.sent;
        self.sent += 20;
        for number in first..self.sent {
            let body = json!({"n": number, "text": "é京🚋 \u{2028} \" \\"});
            say(
                &mut self.publisher,
                &json!({"type": "publish", "address": "honest", "body": body}),
            )
            .await;
        }
        let mut next = first;
        while next < self.sent {
            for envelope in hear(&mut self.subscriber).await {
                assert_eq!(envelope["body"]["n"], next, "{envelope}");
                assert_eq!(envelope["body"]["text"], "é京🚋 \u{2028} \" \\");
                next += 1;
            }
        }
        assert_eq!(PANICS.load(SeqCst), 0, "the server panicked");
    }

    /// Waits until only the honest client's registration is left.
    pub(crate) async fn is_left_alone(&self) {
        soon(async {
            while self.bus.stats().registrations > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

pub(crate) async fn sockjs(addr: SocketAddr, name: &str) -> Client {
    let mut client = Client::open(addr, &format!("/eventbus/000/{name}/websocket")).await;
    assert_eq!(client.text().await, "o");
    client
}

pub(crate) async fn say(client: &mut Client, envelope: &Value) {
    client.send(&json!([envelope.to_string()]).to_string()).await;
}

/// The envelopes of the next frame.
pub(crate) async fn hear(client: &mut Client) -> Vec<Value> {
    loop {
        let frame = client.text().await;
        if frame == "h" {
            continue;
        }
        let array = frame.strip_prefix('a').unwrap_or_else(|| panic!("no messages: {frame}"));
        let texts: Vec<String> = serde_json::from_str(array).unwrap();
        return texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    }
}

/// Waits until the server has handled all that was said, and gives what else it said.
pub(crate) async fn settle(client: &mut Client) -> Vec<Value> {
    say(client, &json!({"type": "settle", "address": ""})).await;
    let mut heard = Vec::new();
    loop {
        for envelope in hear(client).await {
            if envelope["body"] == "invalid_type" {
                return heard;
            }
            heard.push(envelope);
        }
    }
}
