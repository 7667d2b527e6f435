//! A client that publishes, sends and asks in batches, and wants its answers in order.

use std::net::SocketAddr;

use serde_json::{Value, json};
use trolleybus_tests::support::websocket::Client;

/// Batches of one sender.
pub(crate) const BATCHES: u64 = 40;
/// Bytes in every third body that is published: enough to fill what the system buffers for a socket.
const LARGE: usize = 16 * 1024;

pub(crate) struct Sender {
    addr: SocketAddr,
    from: u64,
}

impl Sender {
    pub(crate) fn new(addr: SocketAddr, from: u64) -> Self {
        Self { addr, from }
    }

    /// Says everything, each batch in one frame, and waits for the answers to it before the next.
    pub(crate) async fn run(self) {
        let path = format!("/eventbus/000/{}/websocket", self.from);
        let mut socket = Client::open(self.addr, &path).await;
        assert_eq!(socket.text().await, "o");
        for batch in 0..BATCHES {
            let numbers = [2 * batch + 1, 2 * batch + 2];
            let texts: Vec<_> = numbers.into_iter().flat_map(|number| self.said(number)).collect();
            socket.send(&json!(texts).to_string()).await;
            let mut answers = numbers.map(|number| ["echo", "ask"].map(|asked| (asked, number)));
            let mut wanted: Vec<_> = answers.as_flattened_mut().to_vec();
            while !wanted.is_empty() {
                let frame = socket.text().await;
                let texts: Vec<String> = serde_json::from_str(&frame[1..]).unwrap();
                texts.iter().for_each(|text| answered(&mut wanted, text));
            }
        }
    }

    /// What is said of one number. To `both` by turns as a send and as a publish.
    fn said(&self, number: u64) -> [String; 5] {
        let filling = if number.is_multiple_of(3) { " ".repeat(LARGE) } else { String::new() };
        let short = json!({"from": self.from, "number": number});
        let long = json!({"from": self.from, "number": number, "filling": filling});
        let say = |kind: &str, address: &str, body: &Value| json!({"type": kind, "address": address, "body": body});
        let ask = |address: &str| {
            let mut envelope = say("send", address, &short);
            envelope["replyAddress"] = format!("{address}{number}").into();
            envelope
        };
        let kind = if number.is_multiple_of(2) { "send" } else { "publish" };
        let (all, wide) = (say("publish", "all", &long), say("publish", "wide.x", &long));
        [all, ask("ask"), say(kind, "both", &short), ask("echo"), wide]
            .map(|envelope| envelope.to_string())
    }
}

/// Crosses an answer off, which must be the next of those who were asked the same.
fn answered(wanted: &mut Vec<(&'static str, u64)>, text: &str) {
    let envelope: Value = serde_json::from_str(text).unwrap();
    assert_eq!(envelope["type"], "rec", "{envelope}");
    let label = envelope["address"].as_str().unwrap();
    let place = wanted.iter().position(|(asked, _)| label.starts_with(asked));
    let (asked, number) = wanted.remove(place.expect("an answer that nobody waits for"));
    assert_eq!(label, format!("{asked}{number}"));
    assert_eq!(envelope["body"]["number"], number);
}
