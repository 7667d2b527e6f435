//! A bus with services, a bridge on it, and its clients.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::json;
use tokio::runtime::Handle;
use trolleybus::bridge::{Authentication, Bridge, BridgeOptions, OverflowBounds, Permitted};
use trolleybus::sockjs::Options;
use trolleybus::{Bus, BusMessage as _, EventBus as _};
use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Body, ByteString};

use super::client::{Client, Label, SECRET};
use super::tokens::{Subject, Words};

const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct World {
    bus: Bus,
    bridge: Bridge,
    router: Router,
    pub(super) clients: [Client; 3],
    sessions: u64,
    labels: u64,
}

fn options() -> BridgeOptions {
    let wanted = json!({"k": "v"}).as_object().cloned().unwrap_or_default();
    let mut options = BridgeOptions::new()
        .permit_outbound(Permitted::address("a"))
        .permit_outbound(Permitted::address("b"))
        .permit_outbound(Permitted::pattern("user.${sub}.inbox"))
        .permit_outbound(Permitted::regex(r"out\..+"))
        .permit_outbound(Permitted::address("m").matching(wanted));
    for address in ["a", "b", "m", "svc", "silent", "out.x"] {
        options = options.permit_inbound(Permitted::address(address));
    }
    BridgeOptions {
        max_handlers_per_socket: 6,
        max_awaited_replies: 4,
        reply_timeout: REPLY_TIMEOUT,
        overflow: OverflowBounds { messages: 4, bytes: 2048, bytes_per_socket: 4096 },
        ..options
    }
}

impl World {
    pub(super) fn new() -> Self {
        let bus = Bus::new();
        bus.consumer_fn("svc", |message| async move {
            message.reply(message.body().clone()).expect("a body");
        });
        let mut held = Vec::new();
        bus.consumer_fn("silent", move |message| {
            held.push(message);
            async {}
        });
        let sockjs =
            Options { response_limit: usize::MAX, max_outbox_size: 8 * 1024, ..Options::default() };
        let bridge = Bridge::builder(bus.clone(), options())
            .sockjs(sockjs)
            .authentication(Authentication::new(Arc::new(Words)));
        let bridge = bridge.build().expect("good options");
        let router = Router::new().nest_service("/e", bridge.router());
        let clients = std::array::from_fn(|_| Client::default());
        Self { bus, bridge, router, clients, sessions: 0, labels: 0 }
    }

    pub(super) async fn open(&mut self, who: usize) {
        self.sessions += 1;
        self.clients[who].open(&self.router, format!("s{}", self.sessions)).await;
    }

    pub(super) async fn say(&mut self, who: usize, text: String) {
        self.clients[who].say(&self.router, &text).await;
    }

    /// What an attacker writes may be a request as well; how often that is answered is its affair.
    pub(super) async fn say_anything(&mut self, who: usize, text: String) {
        let label = |client: &mut Client, label: &str| {
            client.labels.entry(label.to_owned()).or_default();
        };
        let client = &mut self.clients[who];
        match ClientEnvelope::parse(&ByteString::from(text.as_str())) {
            Ok(envelope) => {
                if envelope.operation == Operation::Authenticate {
                    client.subject = Subject::Anybody;
                }
                for known in envelope.reply_address.into_iter().chain(envelope.receipt) {
                    label(client, known.as_str());
                }
            }
            Err(error) => {
                if let Some(known) = error.reply_address {
                    label(client, known.as_str());
                }
            }
        }
        self.say(who, text).await;
    }

    fn label(&mut self, who: usize) -> String {
        self.labels += 1;
        let label = format!("{:016x}", self.labels.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let wanted = Label { answers: 0, is_checked: true };
        self.clients[who].labels.insert(label.clone(), wanted);
        label
    }

    pub(super) async fn request(&mut self, who: usize, rest: &str) {
        let label = self.label(who);
        let text = format!("{{\"type\":\"send\",{rest},\"replyAddress\":\"{label}\"}}");
        self.say(who, text).await;
    }

    /// An envelope that is told once what became of it.
    pub(super) async fn with_receipt(&mut self, who: usize, kind: &str, rest: &str) {
        let label = self.label(who);
        let text = format!("{{\"type\":\"{kind}\",{rest},\"receipt\":\"{label}\"}}");
        self.say(who, text).await;
    }

    pub(super) async fn log_in(&mut self, who: usize, token: &'static str) {
        let client = &mut self.clients[who];
        client.subject = client.subject.after(token);
        self.with_receipt(who, "authenticate", &format!("\"body\":\"{token}\"")).await;
    }

    pub(super) async fn unregister_pattern(&mut self, who: usize, pattern: &str) {
        let rest = format!("\"address\":\"{pattern}\",\"pattern\":true");
        self.with_receipt(who, "unregister", &rest).await;
    }

    /// More than the outbox of a client holds, before it can read any of it.
    pub(super) fn flood(&self, address: &str, count: usize) {
        for number in 0..count {
            let body = json!({"k": "v", "number": number, "text": "x".repeat(128)});
            self.bus.publish(address, body).expect("the bus is open");
        }
    }

    /// `who` answers what `asked` was asked.
    pub(super) async fn answer(&mut self, who: usize, asked: usize, body: &str, wants_more: bool) {
        let Some(address) = self.clients[asked].to_answer.last().cloned() else { return };
        let rest = format!("\"address\":\"{address}\",\"body\":{body}");
        if wants_more {
            self.request(who, &rest).await;
        } else {
            self.say(who, format!("{{\"type\":\"send\",{rest}}}")).await;
        }
    }

    pub(super) async fn fail(&mut self, who: usize) {
        let Some(address) = self.clients[who].to_answer.pop() else { return };
        let failure = "\"failureCode\":7,\"message\":\"no\"";
        self.say(who, format!("{{\"type\":\"send\",\"address\":\"{address}\",{failure}}}")).await;
    }

    pub(super) fn publish_from_within(&self, address: &str, body: &str) {
        let body = Body::from_json(body.to_owned()).expect("a body");
        self.bus.publish(address, body).expect("the bus is open");
        for closed in ["secret", "m", "user.x"] {
            self.bus.publish(closed, json!({"k": SECRET})).expect("the bus is open");
        }
    }

    pub(super) async fn listen(&mut self) {
        for client in &mut self.clients {
            client.listen().await;
        }
    }

    pub(super) async fn pass(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        self.listen().await;
    }

    pub(super) async fn leave(&mut self, who: usize) {
        self.clients[who].leave();
    }

    /// Waits for the last answers, closes all, and looks what is left.
    pub(super) async fn end(mut self) {
        for _ in 0..7 {
            for who in 0..self.clients.len() {
                if self.clients[who].is_open() {
                    self.say(who, "{\"type\":\"ping\"}".to_owned()).await;
                }
            }
            self.pass(Duration::from_secs(1)).await;
        }
        for client in &mut self.clients {
            for (label, Label { answers, is_checked }) in &client.labels {
                assert!(!is_checked || *answers == 1, "{label} was answered {answers} times");
            }
            client.leave();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(self.bridge.open_sockets(), 0, "sockets left");
        assert_eq!(self.bus.stats().registrations, 2, "registrations left");
        self.bus.close();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "tasks left");
    }
}
