//! A client that publishes, sends and asks in batches, and wants its answers in order.

use serde_json::{Value, json};
use trolleybus_tests::support::websocket::Client;

use crate::ledger::is_message;
use crate::{Doors, tcp};

/// Batches of one sender.
pub(crate) const BATCHES: u64 = 40;
/// Bytes in every third body that is published: enough to fill what the system buffers for a socket.
const LARGE: usize = 16 * 1024;

pub(crate) struct Sender {
    wire: Wire,
    from: u64,
}

enum Wire {
    Framed(Box<Client>),
    Tcp(tcp::Wire),
}

impl Sender {
    pub(crate) async fn framed(doors: Doors, from: u64) -> Self {
        let path = format!("/eventbus/000/{from}/websocket");
        let mut socket = Client::open(doors.http, &path).await;
        assert_eq!(socket.text().await, "o");
        Self { wire: Wire::Framed(Box::new(socket)), from }
    }

    pub(crate) async fn tcp(doors: Doors, from: u64) -> Self {
        Self { wire: Wire::Tcp(tcp::Wire::open(doors.tcp.unwrap()).await), from }
    }

    /// Says everything, each batch in one write, and waits for the answers to it before the next.
    pub(crate) async fn run(mut self) {
        for batch in 0..BATCHES {
            let numbers = [2 * batch + 1, 2 * batch + 2];
            let texts: Vec<_> = numbers.into_iter().flat_map(|number| self.said(number)).collect();
            match &mut self.wire {
                Wire::Framed(socket) => socket.send(&json!(texts).to_string()).await,
                Wire::Tcp(wire) => wire.say(&texts).await,
            }
            let mut answers = numbers.map(|number| ["echo", "ask"].map(|asked| (asked, number)));
            let mut wanted: Vec<_> = answers.as_flattened_mut().to_vec();
            while !wanted.is_empty() {
                let texts: Vec<String> = match &mut self.wire {
                    Wire::Framed(socket) => {
                        serde_json::from_str(&socket.text().await[1..]).unwrap()
                    }
                    Wire::Tcp(wire) => vec![wire.frame().await],
                };
                texts.iter().for_each(|text| answered(&mut wanted, text));
            }
        }
    }

    /// What is said of one number. To `both` by turns as a send and as a publish.
    fn said(&self, number: u64) -> [String; 5] {
        let (short, long) = bodies(self.from, number);
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

/// A short one, and one that is long now and then.
pub(crate) fn bodies(from: u64, number: u64) -> (Value, Value) {
    let filling = if number.is_multiple_of(3) { " ".repeat(LARGE) } else { String::new() };
    let short = json!({"from": from, "number": number});
    (short, json!({"from": from, "number": number, "filling": filling}))
}

/// Crosses an answer off, which must be the next of those who were asked the same.
fn answered(wanted: &mut Vec<(&'static str, u64)>, text: &str) {
    let envelope: Value = serde_json::from_str(text).unwrap();
    assert!(is_message(&envelope), "{envelope}");
    let label = envelope["address"].as_str().unwrap();
    let place = wanted.iter().position(|(asked, _)| label.starts_with(asked));
    let (asked, number) = wanted.remove(place.expect("an answer that nobody waits for"));
    assert_eq!(label, format!("{asked}{number}"));
    assert_eq!(envelope["body"]["number"], number);
}
