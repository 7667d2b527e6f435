//! Our server with the rules and services that the reference was recorded with.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus::{Bus, BusMessage as _, DeliveryOptions, Error, EventBus as _, Message};

use crate::support::{self, server::serve};
use crate::talk::Targets;

const QUICK: Duration = Duration::from_millis(400);

pub(crate) struct Ours {
    bus: Bus,
    addr: SocketAddr,
    bridges: Vec<(&'static str, Bridge)>,
    services: u64,
}

impl Ours {
    pub(crate) async fn start() -> Self {
        let bus = Bus::new();
        install(&bus);
        let (mut app, mut bridges) = (Router::new(), Vec::new());
        for (name, options) in servers() {
            let bridge = Bridge::new(bus.clone(), options).unwrap();
            app = app.nest_service(&format!("/{name}"), bridge.router());
            bridges.push((name, bridge));
        }
        let services = bus.stats().registrations;
        Self { bus, addr: serve(app).await, bridges, services }
    }

    pub(crate) fn targets(&self) -> Targets {
        let target = |name: &str| (name.to_owned(), (self.addr, format!("/{name}")));
        self.bridges.iter().map(|(name, _)| target(name)).collect()
    }

    /// Whether all sockets and their registrations go once the clients have.
    pub(crate) async fn is_empty_soon(&self) -> bool {
        let is_empty = || {
            self.bridges.iter().all(|(_, bridge)| bridge.open_sockets() == 0)
                && self.bus.stats().registrations == self.services
        };
        support::soon(async {
            while !is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        is_empty()
    }
}

fn install(bus: &Bus) {
    bus.consumer_fn("service.echo", |message| async move {
        let headers = message.headers().clone();
        let options = DeliveryOptions { headers, ..DeliveryOptions::default() };
        message.reply_with(message.body().clone(), options).unwrap();
    });
    bus.consumer_fn("service.void", |message| async move { message.reply(json!(null)).unwrap() });
    bus.consumer_fn("service.fail", |message| async move {
        message.fail(1234, "no tea today").unwrap();
    });
    bus.consumer_fn("service.fail_without_text", |message| async move {
        message.fail(7, "").unwrap();
    });
    // Held, not dropped: a request whose message nobody holds fails at once.
    let mut held = Vec::new();
    bus.consumer_fn("service.silent", move |message| {
        held.push(message);
        async {}
    });
    bus.consumer_fn("service.several", |message| async move {
        let options = DeliveryOptions::new().header("tea", "green").unwrap();
        let options = options.header("tea", "black").unwrap().header("sugar", "no").unwrap();
        message.reply_with("here", options).unwrap();
    });
    let to = bus.clone();
    bus.consumer_fn("service.chain", move |message| chain(to.clone(), message));
    let to = bus.clone();
    bus.consumer_fn("service.ask", move |message| ask(to.clone(), message));
}

async fn chain(bus: Bus, message: Message) {
    let options = DeliveryOptions::new().timeout(QUICK);
    match message.reply_and_request_with("first", options).await {
        Ok(second) => {
            let text = format!("last: {}", second.body().as_text().unwrap());
            second.reply(text.as_str()).unwrap();
        }
        Err(error) => bus.publish("outcome", outcome(&error)).unwrap(),
    }
}

/// Requests the body's address with the body's question, and publishes what came of it.
async fn ask(bus: Bus, message: Message) {
    let body: Value = message.body().parse().unwrap();
    let options = DeliveryOptions::new().timeout(QUICK);
    let address = body["address"].as_str().unwrap().to_owned();
    let outcome = match bus.request_with(address, body["question"].clone(), options).await {
        Ok(answer) => json!({"answer": answer.body().parse::<Value>().unwrap()}),
        Err(error) => outcome(&error),
    };
    bus.publish("outcome", outcome).unwrap();
}

fn outcome(error: &Error) -> Value {
    json!({"failed": error.failure_type().word(), "code": error.code()})
}

fn open() -> BridgeOptions {
    BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all())
}

fn matching(rule: Permitted, fields: &Value) -> Permitted {
    rule.matching(fields.as_object().unwrap().clone())
}

fn servers() -> Vec<(&'static str, BridgeOptions)> {
    let vault = Permitted { required_authority: Some("key".into()), ..Permitted::address("vault") };
    let tea = json!({"kind": "tea", "cup": {"size": 1}});
    vec![
        ("open", open()),
        ("default", BridgeOptions::new()),
        ("small", BridgeOptions { max_handlers_per_socket: 3, max_address_length: 10, ..open() }),
        ("impatient", BridgeOptions { reply_timeout: QUICK, ..open() }),
        ("idle", BridgeOptions { ping_timeout: Duration::from_millis(300), ..open() }),
        (
            "rules",
            BridgeOptions::new()
                .permit_inbound(Permitted::address("in"))
                .permit_inbound(Permitted::regex(r"in\..+"))
                .permit_inbound(matching(Permitted::address("tea"), &tea))
                .permit_inbound(Permitted::regex(r"service\..+"))
                .permit_outbound(Permitted::address("out"))
                .permit_outbound(Permitted::regex(r"out\..+"))
                .permit_outbound(Permitted::address("in"))
                .permit_outbound(matching(Permitted::address("tea"), &json!({"for": "all"}))),
        ),
        (
            "guarded",
            BridgeOptions::new()
                .permit_inbound(vault)
                .permit_inbound(Permitted::all())
                .permit_outbound(Permitted::address("open.vault")),
        ),
        ("inbound_only", BridgeOptions::new().permit_inbound(Permitted::all())),
        (
            "outbound_only",
            BridgeOptions::new()
                .permit_inbound(Permitted::address("service.ask"))
                .permit_outbound(Permitted::all()),
        ),
    ]
}
