//! Our server with the rules and services that the reference was recorded with.

use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus::access::limits::Limits;
use trolleybus::access::{LivePolicy, Policy};
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus::gateway::{TcpGateway, TcpOptions};
use trolleybus::{Bus, BusMessage as _, DeliveryOptions, Error, EventBus as _, Message};

use crate::carrier::Kind;
use crate::support::{self, server::serve};
use crate::talk::Targets;

const QUICK: Duration = Duration::from_millis(400);

pub(crate) struct Ours {
    bus: Bus,
    targets: Targets,
    bridges: Vec<Bridge>,
    services: u64,
}

impl Ours {
    pub(crate) async fn start(kind: Kind) -> Self {
        let bus = Bus::new();
        install(&bus);
        let services = bus.stats().registrations;
        let mut ours = Self { bus, targets: Targets::new(), bridges: Vec::new(), services };
        if kind == Kind::Tcp {
            ours.listen_tcp().await;
        } else {
            ours.listen().await;
        }
        ours
    }

    async fn listen(&mut self) {
        let mut app = Router::new();
        for (name, options) in servers() {
            let bridge = Bridge::new(self.bus.clone(), options).unwrap();
            app = app.nest_service(&format!("/{name}"), bridge.router());
            self.bridges.push(bridge);
        }
        let addr = serve(app).await;
        let target = |(name, _): (&str, _)| (name.to_owned(), (addr, format!("/{name}")));
        self.targets = servers().into_iter().map(target).collect();
    }

    async fn listen_tcp(&mut self) {
        for (name, inbound, outbound) in tcp_servers() {
            let policy = LivePolicy::new(Policy::compile(&inbound, &outbound).unwrap());
            let (bus, options) = (self.bus.clone(), TcpOptions::default());
            let gateway = TcpGateway::new(bus, policy, None, Limits::none(), options).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            self.targets.insert(name.to_owned(), (addr, String::new()));
            tokio::spawn(gateway.serve(listener, CancellationToken::new(), TaskTracker::new()));
        }
    }

    pub(crate) fn targets(&self) -> Targets {
        self.targets.clone()
    }

    /// Whether all sockets and their registrations go once the clients have.
    pub(crate) async fn is_empty_soon(&self) -> bool {
        let is_empty = || {
            self.bridges.iter().all(|bridge| bridge.open_sockets() == 0)
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

/// Those of `TcpReference.java`: name, inbound and outbound rules.
fn tcp_servers() -> [(&'static str, Vec<Permitted>, Vec<Permitted>); 3] {
    let (everything, named) = (|| vec![Permitted::all()], Permitted::address);
    [
        ("open", everything(), everything()),
        ("default", Vec::new(), Vec::new()),
        (
            "rules",
            vec![named("in"), Permitted::regex(r"service\..+")],
            vec![named("in"), named("out")],
        ),
    ]
}
