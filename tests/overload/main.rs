//! One reader stalls while 150 MB are published to it and to one that reads: memory stays where it
//! was, and nobody else notices. Alone in its program, because it looks at the memory of it.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::print_stdout, reason = "the numbers are worth seeing")]

use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Value, json};
use trolleybus::bridge::{Bridge, BridgeOptions, OverflowStats, Permitted};
use trolleybus::sockjs::Options;
use trolleybus::{Bus, EventBus as _};
use trolleybus_tests::support::server::serve;
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client;

const BODY: usize = 10_000;
const MESSAGES: usize = 15_000;
/// Published before anything is measured, so that buffers have their size.
const WARM_UP: usize = 1_000;
const GROWTH: usize = 4 * 1024 * 1024;

struct Server {
    bus: Bus,
    bridge: Bridge,
    addr: std::net::SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let bus = Bus::new();
        let options = BridgeOptions {
            // Nobody here sends pings.
            ping_timeout: Duration::from_secs(3600),
            ..BridgeOptions::new()
                .permit_inbound(Permitted::all())
                .permit_outbound(Permitted::all())
        };
        let sockjs =
            Options { heartbeat_interval: Duration::from_secs(3600), ..Options::default() };
        let bridge = Bridge::builder(bus.clone(), options).sockjs(sockjs).build().unwrap();
        let app = Router::new().nest_service("/eventbus", bridge.router());
        Self { bus, bridge, addr: serve(app).await }
    }

    /// A client that has registered for `a`.
    async fn reader(&self, overflow: &str) -> Client {
        let mut client = Client::open(self.addr, "/eventbus/websocket").await;
        let before = self.bus.stats().registrations;
        let register = json!({"type": "register", "address": "a", "overflow": overflow});
        client.send(&register.to_string()).await;
        let registered = async {
            while self.bus.stats().registrations == before {
                tokio::task::yield_now().await;
            }
        };
        soon(registered).await;
        client
    }
}

/// A server with a reader that keeps up.
struct Reading {
    server: Server,
    live: Client,
    times: Vec<Duration>,
}

impl Reading {
    async fn start() -> Self {
        let server = Server::start().await;
        let live = server.reader("close").await;
        Self { server, live, times: Vec::new() }
    }

    /// Publishes a message and notes how long it took to the reader that keeps up.
    async fn publish(&mut self, body: &Value) {
        let begin = Instant::now();
        self.server.bus.publish("a", body).unwrap();
        let frame = self.live.frame().await.expect("the live reader lost its socket");
        self.times.push(begin.elapsed());
        assert!(frame.payload().len() > BODY);
    }
}

/// Publishes to both in turn, so that what else the machine does slows both alike.
async fn publish(one: &mut Reading, other: &mut Reading, messages: usize) {
    let body = Value::from("x".repeat(BODY));
    for _ in 0..messages {
        one.publish(&body).await;
        other.publish(&body).await;
    }
}

/// The median and the 99th percentile.
fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort();
    [50, 99].map(|percent| times[times.len() * percent / 100])
}

/// Resident memory of this program, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

async fn stall(overflow: &str, messages: usize) -> OverflowStats {
    let (mut alone, mut beside) = (Reading::start().await, Reading::start().await);
    let _stalled = beside.server.reader(overflow).await;
    publish(&mut alone, &mut beside, WARM_UP).await;
    let before = resident();
    publish(&mut alone, &mut beside, messages).await;
    let growth = resident().saturating_sub(before);
    let stats = beside.server.bridge.overflow_stats();
    let (alone, beside) = (percentiles(alone.times), percentiles(beside.times));
    println!(
        "{overflow}: p50 and p99 {alone:?} alone, {beside:?} beside; memory grew by {growth} bytes"
    );
    assert!(growth < GROWTH, "{overflow}: memory grew by {growth} bytes");
    // The aim is a tenth; a busy machine alone is good for more.
    assert!(beside[1] < alone[1] * 2, "{overflow}: {alone:?} alone, {beside:?} beside");
    stats
}

#[tokio::test]
async fn a_stalled_reader_costs_no_memory_and_slows_nobody() {
    let stats = stall("drop_oldest", MESSAGES).await;
    assert!(stats.dropped_oldest > 10_000, "{stats:?}");
    let stats = stall("latest", 5000).await;
    assert!(stats.replaced > 1000, "{stats:?}");
    let stats = stall("close", 1000).await;
    assert_eq!(stats.closed, 1);
}
