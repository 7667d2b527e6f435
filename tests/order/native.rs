//! The Rust client: what its handles say, and what its consumers hear.

use std::net::SocketAddr;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use trolleybus_client::{
    Body, BusConsumer as _, BusMessage as _, Client, Consumer, ConsumerOptions, EventBus as _,
    Options, Reconnect,
};
use trolleybus_tests::support::soon;

use crate::ledger::Ledger;
use crate::sender::{BATCHES, bodies};

async fn connected(addr: SocketAddr) -> Client {
    let options = Options::new().reconnect(Reconnect::never());
    let client = Client::with_options(&format!("http://{addr}/eventbus"), options);
    soon(client.opened()).await.unwrap();
    client
}

fn body(value: &Value) -> Body {
    Body::from_json(value.to_string()).unwrap()
}

/// As `Sender::run`, by way of handles: answers belong to their futures here.
pub(crate) async fn say(addr: SocketAddr, from: u64) {
    let client = connected(addr).await;
    for batch in 0..BATCHES {
        let mut asked = Vec::new();
        for number in [2 * batch + 1, 2 * batch + 2] {
            let (short, long) = bodies(from, number);
            client.publish("all", body(&long)).unwrap();
            asked.push((number, client.request("ask", body(&short))));
            if number.is_multiple_of(2) {
                client.send("both", body(&short)).unwrap();
            } else {
                client.publish("both", body(&short)).unwrap();
            }
            asked.push((number, client.request("echo", body(&short))));
            client.publish("wide.x", body(&long)).unwrap();
        }
        let answers = asked.into_iter().map(|(number, answer)| async move {
            let answer = soon(answer).await.unwrap();
            let answer: Value = serde_json::from_str(answer.body().as_json()).unwrap();
            assert_eq!(answer["number"], number);
        });
        join_all(answers).await;
    }
    client.close();
}

/// Consumers of one client, which are registered when this is made.
pub(crate) struct Listeners {
    client: Client,
    consumers: Vec<Consumer>,
    /// For each of them.
    messages: u64,
}

impl Listeners {
    pub(crate) async fn open(addr: SocketAddr, addresses: &[&str], messages: u64) -> Self {
        let client = connected(addr).await;
        let mut consumers = Vec::new();
        for address in addresses {
            // Room for all of it: a late one reads nothing until the end.
            let options = ConsumerOptions::new().max_buffered(messages.try_into().unwrap());
            let options = if address.contains('*') { options.pattern() } else { options };
            let consumer = client.consumer_with(*address, options);
            soon(consumer.completion()).await.unwrap();
            consumers.push(consumer);
        }
        Self { client, consumers, messages }
    }

    /// Listens until each has heard everything.
    pub(crate) async fn hear(self, late: Option<watch::Receiver<bool>>) {
        if let Some(mut late) = late {
            late.wait_for(|begin| *begin).await.unwrap();
        }
        let messages = self.messages;
        join_all(self.consumers.into_iter().map(|consumer| heard(consumer, messages))).await;
        self.client.close();
    }
}

async fn heard(mut consumer: Consumer, messages: u64) {
    let mut ledger = Ledger::default();
    while ledger.accounted < messages {
        let message = soon(consumer.next()).await.expect("the client is closed");
        let body: Value = serde_json::from_str(message.body().as_json()).unwrap();
        let address = message.address().as_str();
        ledger.note(&json!({"type": "rec", "address": address, "body": body}));
    }
    assert_eq!(ledger.accounted, messages);
}
