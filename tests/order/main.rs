//! Order between threads: many senders and receivers on a runtime of several threads, with queues so
//! small that batches are broken off everywhere. Whatever a sender says to an address, each receiver
//! gets once and in that order.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod ledger;
mod native;
mod receiver;
mod sender;
mod tcp;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use native::Listeners;
use receiver::{FORMS, Form, Receiver};
use sender::{BATCHES, Sender};
use tokio::sync::watch;
use tokio::task::JoinSet;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus::sockjs::Options;
use trolleybus::{Bus, BusMessage as _, EventBus as _, Registration};
use trolleybus_tests::support::server::serve;

const SENDERS: u64 = 6;
/// What all senders together say to one address: two messages in a batch.
const SAID: u64 = SENDERS * 2 * BATCHES;

/// Nobody here pings, or is missed.
const LONG: Duration = Duration::from_secs(3600);
/// A streaming response ends after a few messages.
const RESPONSE: usize = 16 * 1024;
/// Who reads nothing until the end is not to be closed for it.
const OUTBOX: usize = 256 << 20;

fn options() -> BridgeOptions {
    BridgeOptions { ping_timeout: LONG, ..BridgeOptions::new() }
        .permit_inbound(Permitted::all())
        .permit_outbound(Permitted::all())
}

/// Where clients come in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doors {
    http: SocketAddr,
    /// Of the TCP bridge, which a whole server has.
    tcp: Option<SocketAddr>,
}

/// A server whose services answer questions, and who listens.
struct Hall {
    _echo: Registration,
    bridge: Bridge,
    doors: Doors,
    receivers: JoinSet<()>,
    /// Set when the senders are through.
    is_over: watch::Sender<bool>,
}

impl Hall {
    /// A bridge alone, with room for next to nothing.
    async fn open() -> Self {
        let bus = Bus::new();
        let sockjs = Options {
            heartbeat_interval: LONG,
            // A late receiver does not poll for long.
            disconnect_delay: LONG,
            // A batch of envelopes does not fit, so the service is behind again and again.
            max_inbox_len: 3,
            response_limit: RESPONSE,
            max_outbox_size: OUTBOX,
            ..Options::default()
        };
        let bridge = Bridge::builder(bus.clone(), options()).sockjs(sockjs).build().unwrap();
        let http = serve(Router::new().nest_service("/eventbus", bridge.router())).await;
        Self::with(&bus, bridge, Doors { http, tcp: None })
    }

    /// Questions are answered in the asker's task at one address, and in one task for all at another.
    fn with(bus: &Bus, bridge: Bridge, doors: Doors) -> Self {
        let echo = bus.responder("echo", |message| {
            message.reply(message.body().clone()).unwrap();
        });
        let mut asked = bus.consumer("ask");
        tokio::spawn(async move {
            while let Some(message) = asked.recv().await {
                message.reply(message.body().clone()).unwrap();
            }
        });
        let (receivers, is_over) = (JoinSet::new(), watch::Sender::new(false));
        Self { _echo: echo, bridge, doors, receivers, is_over }
    }

    /// A whole server, with its own way of serving connections.
    fn open_whole() -> Self {
        let bus = Bus::new();
        let mut config = Config { bridge: options(), ..Config::default() };
        config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.gateway.tcp.listen = Some(config.server.listen);
        config.gateway.tcp.max_outbox_size = OUTBOX;
        config.gateway.tcp.write_timeout_ms = LONG.as_millis() as u32;
        config.sockjs.heartbeat_ms = LONG.as_millis() as u64;
        config.sockjs.disconnect_delay_ms = LONG.as_millis() as u64;
        config.sockjs.response_limit = RESPONSE;
        config.sockjs.max_outbox_size = OUTBOX;
        let listener = bind(config.server.listen).unwrap();
        let http = listener.local_addr().unwrap();
        let mut app = App::new(bus.clone(), config).unwrap();
        let tcp = app.bind_tcp_gateway().unwrap();
        let bridge = app.bridge();
        tokio::spawn(app.run(listener, std::future::pending()));
        Self::with(&bus, bridge, Doors { http, tcp })
    }

    /// One receiver that reads all the time, and one that begins when all has been said.
    async fn seat(&mut self, form: Form, addresses: &[&str], overflow: &str) {
        for late in [None, Some(self.is_over.subscribe())] {
            let mut receiver = Receiver::open(self.doors, form).await;
            for address in addresses {
                receiver.register(address, overflow).await;
            }
            self.receivers.spawn(receiver.hear(SAID * addresses.len() as u64, late));
        }
    }

    /// As [`Hall::seat`], with consumers of the Rust client.
    async fn seat_native(&mut self, addresses: &[&str]) {
        for late in [None, Some(self.is_over.subscribe())] {
            let listeners = Listeners::open(self.doors.http, addresses, SAID).await;
            self.receivers.spawn(listeners.hear(late));
        }
    }

    /// Everything is said over WebSockets, and heard; gives the bridge that it went over.
    async fn hold(self) -> Bridge {
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            senders.spawn(Sender::framed(self.doors, number).await.run());
        }
        self.hear(senders).await
    }

    /// Waits until all have said and heard everything.
    async fn hear(self, senders: JoinSet<()>) -> Bridge {
        join(senders).await;
        self.is_over.send_replace(true);
        join(self.receivers).await;
        self.bridge
    }
}

async fn join(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

async fn everything_to_everybody(mut hall: Hall) {
    for form in FORMS {
        hall.seat(form, &["all", "wide.*"], "close").await;
    }
    // Sends to it and publishes are one sequence, because it is the only one there.
    let mut only = Receiver::open(hall.doors, Form::Framed).await;
    only.register("both", "close").await;
    hall.receivers.spawn(only.hear(SAID, None));
    hall.hold().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_receiver_hears_each_sender_in_order() {
    everything_to_everybody(Hall::open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_receiver_at_a_whole_server_hears_each_sender_in_order() {
    everything_to_everybody(Hall::open_whole()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_way_somebody_comes_in_each_sender_is_heard_in_order() {
    let mut hall = Hall::open_whole();
    for form in [Form::Framed, Form::Tcp] {
        hall.seat(form, &["all", "wide.*"], "close").await;
    }
    hall.seat_native(&["all", "wide.*"]).await;
    let mut only = Receiver::open(hall.doors, Form::Tcp).await;
    only.register("both", "close").await;
    hall.receivers.spawn(only.hear(SAID, None));
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        match number % 3 {
            0 => drop(senders.spawn(Sender::framed(hall.doors, number).await.run())),
            1 => drop(senders.spawn(Sender::tcp(hall.doors, number).await.run())),
            _ => drop(senders.spawn(native::say(hall.doors.http, number))),
        }
    }
    hall.hear(senders).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_dropped_for_a_slow_reader_leaves_the_rest_in_order() {
    let mut hall = Hall::open().await;
    for form in FORMS {
        hall.seat(form, &["all"], "drop_oldest").await;
    }
    let stats = hall.hold().await.overflow_stats();
    assert!(stats.dropped_oldest > 0, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn receivers_that_come_and_go_disturb_nobody() {
    let mut hall = Hall::open().await;
    for form in [Form::Framed, Form::Raw] {
        hall.seat(form, &["all", "wide.*"], "close").await;
        for _ in 0..2 {
            let restless = Receiver::open(hall.doors, form).await;
            hall.receivers.spawn(restless.come_and_go("all", hall.is_over.subscribe()));
        }
    }
    hall.hold().await;
}
