//! The buses under test, and how tests look at them.

use axum::Router;
use futures_util::StreamExt;
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus::{Bus, BusConsumer, BusMessage, ConsumerOptions, EventBus};
use trolleybus_client::Client;

use crate::support::server::serve;
use crate::support::soon;

/// A bus that several parties are on.
pub(crate) trait Subject {
    type Bus: EventBus;

    async fn start() -> Self;

    /// One more party.
    async fn party(&self) -> Self::Bus;
}

/// The server's bus: all parties are in one process.
pub(crate) struct OneProcess(Bus);

impl Subject for OneProcess {
    type Bus = Bus;

    async fn start() -> Self {
        Self(Bus::new())
    }

    async fn party(&self) -> Bus {
        self.0.clone()
    }
}

/// Each party is a client of a bridge that permits everything.
pub(crate) struct OverBridge(String);

impl Subject for OverBridge {
    type Bus = Client;

    async fn start() -> Self {
        let all =
            BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
        let bridge = Bridge::new(Bus::new(), all).unwrap();
        let address = serve(Router::new().nest_service("/eventbus", bridge.router())).await;
        Self(format!("http://{address}/eventbus"))
    }

    async fn party(&self) -> Client {
        let client = Client::connect(&self.0);
        soon(client.opened()).await.unwrap();
        client
    }
}

/// A consumer whose registration stands everywhere.
pub(crate) async fn consume<B: EventBus>(bus: &B, address: &str) -> B::Consumer {
    consume_with(bus, address, ConsumerOptions::new()).await
}

pub(crate) async fn consume_with<B: EventBus>(
    bus: &B,
    address: &str,
    options: ConsumerOptions,
) -> B::Consumer {
    let consumer = bus.consumer_with(address, options);
    soon(consumer.completion()).await.unwrap();
    assert!(consumer.is_registered());
    consumer
}

/// The next message, which must come.
pub(crate) async fn next<C: BusConsumer>(consumer: &mut C) -> C::Item {
    soon(consumer.next()).await.expect("the stream ended")
}

/// The next bodies, as JSON.
pub(crate) async fn bodies<M: BusMessage, C: BusConsumer<Item = M>>(
    consumer: &mut C,
    count: usize,
) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..count {
        bodies.push(next(consumer).await.body().as_json().to_owned());
    }
    bodies
}
