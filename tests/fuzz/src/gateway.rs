//! Whole TCP gateways: bytes become operations of a few connections, in process and in stopped
//! time. Every request and receipt is answered exactly once, nothing arrives that the rules do not
//! permit, and nothing stays.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;
use trolleybus::access::limits::Limits;
use trolleybus::access::{LivePolicy, Permitted, Policy};
use trolleybus::gateway::{TcpGateway, TcpOptions};
use trolleybus::{Bus, BusMessage as _, EventBus as _};
use trolleybus_protocol::tcp::{Frames, push_frame};

use crate::reader::Reader;

const ADDRESSES: [&str; 8] = ["a", "b", "out.x", "svc", "silent", "secret", "out.*", "#"];
const BODIES: [&str; 4] = ["null", "1", "\"t\"", "{\"k\":[1e99]}"];
const KINDS: [&str; 4] = ["send", "publish", "register", "unregister"];
const MOST_OPERATIONS: usize = 120;

struct World {
    bus: Bus,
    gateway: TcpGateway,
    clients: [Option<Client>; 3],
    labels: u64,
}

struct Client {
    stream: DuplexStream,
    frames: Frames,
    /// Answers that each label has had.
    labels: HashMap<String, usize>,
    to_answer: Option<String>,
    /// It has sent what no model understands.
    is_wild: bool,
}

pub(crate) fn gateway(data: &[u8]) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let all = async {
        let mut world = World::new();
        let mut reader = Reader(data);
        for _ in 0..MOST_OPERATIONS {
            if reader.is_empty() {
                break;
            }
            world.operate(&mut reader).await;
        }
        world.end().await;
    };
    let hour = Duration::from_secs(3600);
    let ended =
        runtime.expect("a runtime").block_on(async { tokio::time::timeout(hour, all).await });
    assert!(ended.is_ok(), "something waits for ever");
}

fn policy() -> LivePolicy {
    let addresses = |all: &[&str]| all.iter().map(|one| Permitted::address(*one)).collect();
    let inbound: Vec<Permitted> = addresses(&["a", "b", "svc", "silent", "out.x"]);
    let mut outbound: Vec<Permitted> = addresses(&["a", "b"]);
    outbound.push(Permitted::regex(r"out\..+"));
    LivePolicy::new(Policy::compile(&inbound, &outbound).expect("rules"))
}

impl World {
    fn new() -> Self {
        let bus = Bus::new();
        bus.consumer_fn("svc", |message| async move {
            message.reply(message.body().clone()).expect("a body");
        });
        let mut held = Vec::new();
        bus.consumer_fn("silent", move |message| {
            held.push(message);
            async {}
        });
        let options = TcpOptions {
            max_handlers_per_socket: 6,
            max_awaited_replies: 4,
            max_frame_size: 1024,
            reply_timeout_ms: 5000,
            ..TcpOptions::default()
        };
        let gateway =
            TcpGateway::new(bus.clone(), policy(), None, Limits::none(), options).expect("options");
        Self { bus, gateway, clients: [None, None, None], labels: 0 }
    }

    async fn operate(&mut self, reader: &mut Reader<'_>) {
        let operation = reader.below(10);
        let who = reader.below(self.clients.len());
        let (address, body) = (reader.pick(&ADDRESSES), reader.pick(&BODIES));
        self.labels += 1;
        let label = format!("{:x}", self.labels.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let peer = SocketAddr::from(([192, 0, 2, 1], 4711));
        let gateway = self.gateway.clone();
        let client = self.clients[who].get_or_insert_with(|| Client::open(gateway, peer));
        let rest = format!("\"address\":\"{address}\",\"body\":{body}");
        match operation {
            0 | 1 => client.ask("register", &label, "receipt", &rest).await,
            2 => client.ask("send", &label, "replyAddress", &rest).await,
            3 => client.ask(reader.pick(&KINDS), &label, "receipt", &rest).await,
            4 => {
                let rest = format!("{rest},\"pattern\":true");
                client.ask(reader.pick(&KINDS[2..]), &label, "receipt", &rest).await;
            }
            5 => client.answer(body, reader.below(3), &label).await,
            6 => client.wild(&reader.text(60)).await,
            7 => tokio::time::sleep(Duration::from_millis(250 * reader.below(40) as u64)).await,
            8 => self.clients[who] = None,
            _ => {
                self.bus.publish(address, json!("from within")).expect("open");
            }
        }
        self.listen().await;
    }

    async fn listen(&mut self) {
        for client in &mut self.clients {
            if let Some(open) = client
                && !open.listen().await
            {
                *client = None;
            }
        }
    }

    /// Waits for the last answers, leaves, and looks what is left.
    async fn end(mut self) {
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.listen().await;
        }
        for client in self.clients.iter().flatten().filter(|client| !client.is_wild) {
            for (label, answers) in &client.labels {
                assert_eq!(*answers, 1, "answers to {label}");
            }
        }
        self.clients = [None, None, None];
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(self.bus.stats().registrations, 2, "registrations left");
        self.bus.close();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "tasks left");
    }
}

impl Client {
    fn open(gateway: TcpGateway, peer: SocketAddr) -> Self {
        let (stream, theirs) = duplex(64 * 1024);
        tokio::spawn(async move {
            gateway.serve_stream(theirs, peer, CancellationToken::new()).await;
        });
        let (labels, to_answer) = (HashMap::new(), None);
        Self { stream, frames: Frames::new(1 << 20), labels, to_answer, is_wild: false }
    }

    async fn say(&mut self, text: &str) {
        let mut frame = Vec::new();
        push_frame(&mut frame, text);
        self.stream.write_all(&frame).await.ok();
    }

    /// An envelope to which there must be exactly one answer.
    async fn ask(&mut self, kind: &str, label: &str, field: &str, rest: &str) {
        self.labels.insert(label.to_owned(), 0);
        self.say(&format!("{{\"type\":\"{kind}\",{rest},\"{field}\":\"{label}\"}}")).await;
    }

    /// Answers what it was asked last: for good, with a question of its own, or with a failure.
    async fn answer(&mut self, body: &str, how: usize, label: &str) {
        let Some(address) = self.to_answer.take() else { return };
        let rest = format!("\"address\":\"{address}\",\"body\":{body}");
        match how {
            0 => self.ask("send", label, "receipt", &rest).await,
            1 => self.ask("send", label, "replyAddress", &rest).await,
            _ => self.say(&format!("{{\"type\":\"send\",{rest},\"failureCode\":7}}")).await,
        }
    }

    async fn wild(&mut self, text: &str) {
        self.is_wild = true;
        self.say(text).await;
    }

    /// Hears all that is there; false when the connection is over.
    async fn listen(&mut self) -> bool {
        loop {
            while let Some(text) = self.frames.next_frame().expect("frames of ours") {
                self.hear(&text);
            }
            let read = self.stream.read_buf(self.frames.buffer());
            match tokio::time::timeout(Duration::from_millis(1), read).await {
                Err(_) => return true,
                Ok(Ok(count)) if count > 0 => {}
                Ok(_) => return false,
            }
        }
    }

    fn hear(&mut self, text: &str) {
        let envelope: Value = serde_json::from_str(text).expect("JSON");
        let address = envelope["address"].as_str();
        let label = address.and_then(|address| self.labels.get_mut(address));
        match (envelope["type"].as_str(), label) {
            (Some("message" | "err"), Some(answers)) => *answers += 1,
            (Some("message"), None) => {
                let address = address.expect("an address");
                let is_open = ["a", "b"].contains(&address) || address.starts_with("out.");
                assert!(is_open || self.is_wild, "{text}");
                assert_ne!(address, "secret", "{text}");
            }
            (Some("err"), None) => assert!(address.is_none() || self.is_wild, "{text}"),
            (Some("pong"), _) => {}
            _ => panic!("{text}"),
        }
        if let Some(reply) = envelope["replyAddress"].as_str() {
            self.to_answer = Some(reply.to_owned());
        }
    }
}
