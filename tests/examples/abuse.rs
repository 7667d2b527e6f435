//! Measures what an attacker costs honest clients, and what ten thousand visits leave behind.
//!
//! ```text
//! cargo run --release -p trolleybus-tests --example abuse -- attack [RATE] [SECONDS] [ROUNDS]
//! cargo run --release -p trolleybus-tests --example abuse -- churn [CYCLES]
//! ```
//!
//! `attack`: honest clients request an echo at a steady pace, with and without one attacker who sends
//! RATE messages a second; give ten times the limit that the configuration sets. Bars: p99 moves by
//! at most 20 %, memory by at most 32 MB. The attacker comes from an address of its own, as a trusted
//! proxy tells. The server is a process of its own, takes its configuration from the file that
//! `TROLLEYBUS_CONFIG` names, if any, and runs on the core that `TROLLEYBUS_CORE` names; give the
//! load another: `TROLLEYBUS_CORE=0 taskset -c 1 target/release/examples/abuse attack`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people")]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use trolleybus::app::{App, Config, bind, load};
use trolleybus::bridge::Permitted;
use trolleybus::{Bus, BusMessage as _};
use trolleybus_tests::support::websocket::Client;

const HONEST: usize = 16;
const PACE: Duration = Duration::from_millis(10);
const BATCH: u64 = 20;
/// So long a run-up is not measured.
const WARM_UP: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| words.get(at).map_or(default, |n| n.parse().unwrap());
    match words.first().map(String::as_str) {
        Some("server") => serve().await,
        Some("attack") => attack(number(1, 10_000), number(2, 5), number(3, 3)).await,
        Some("churn") => churn(number(1, 10_000)).await,
        _ => println!("abuse attack [RATE] [SECONDS] [ROUNDS] | abuse churn [CYCLES]"),
    }
}

/// The server's process. It says its address, then its registrations whenever it is sent a line.
async fn serve() {
    let mut config = match std::env::var_os("TROLLEYBUS_CONFIG") {
        Some(path) => load(Some(path.as_ref()), std::iter::empty(), |_| ()).unwrap(),
        None => Config::default(),
    };
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.bridge.inbound_permitted = vec![Permitted::all()];
    config.bridge.outbound_permitted = vec![Permitted::all()];
    let bus = Bus::new();
    bus.consumer_fn("echo", |message| async move {
        message.reply(message.body().clone()).unwrap();
    });
    let listener = bind(config.server.listen).unwrap();
    println!("{}", listener.local_addr().unwrap());
    let app = App::new(bus.clone(), config).unwrap();
    tokio::spawn(app.run(listener, std::future::pending()));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        println!("{} {tasks}", bus.stats().registrations);
    }
}

struct Server {
    process: Child,
    addr: SocketAddr,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Server {
    async fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = match std::env::var("TROLLEYBUS_CORE") {
            Ok(core) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["-c", &core]).arg(program);
                taskset
            }
            Err(_) => Command::new(program),
        };
        command.arg("server").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let addr = lines.next_line().await.unwrap().unwrap().parse().unwrap();
        Self { process, addr, lines }
    }

    /// Resident memory in kilobytes.
    fn memory(&self) -> i64 {
        let path = format!("/proc/{}/status", self.process.id().unwrap());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Registrations and tasks.
    async fn left(&mut self) -> String {
        let stdin = self.process.stdin.as_mut().unwrap();
        tokio::io::AsyncWriteExt::write_all(stdin, b"?\n").await.unwrap();
        self.lines.next_line().await.unwrap().unwrap()
    }
}

/// The honest are on this machine, where no limit is.
async fn socket(addr: SocketAddr) -> Client {
    socket_with(addr, &[]).await
}

async fn socket_with(addr: SocketAddr, headers: &[(&str, &str)]) -> Client {
    let path = "/eventbus/000/s/websocket";
    let mut client = Client::open_with(addr, path, headers).await;
    assert_eq!(client.text().await, "o");
    client
}

fn frame(envelope: &serde_json::Value) -> String {
    json!([envelope.to_string()]).to_string()
}

/// Latencies of one honest client, in microseconds.
async fn honest(addr: SocketAddr, time: Duration) -> Vec<u128> {
    let mut client = socket(addr).await;
    let question = json!({"type": "send", "address": "echo", "body": "tea?", "replyAddress": "r"});
    let (question, ping) = (frame(&question), frame(&json!({"type": "ping"})));
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    let mut ticks = tokio::time::interval(PACE);
    while begin.elapsed() < time + WARM_UP {
        ticks.tick().await;
        let sent = Instant::now();
        client.send(&question).await;
        while !client.text().await.contains("tea?") {}
        if begin.elapsed() > WARM_UP {
            latencies.push(sent.elapsed().as_micros());
        }
        if latencies.len() % 200 == 1 {
            client.send(&ping).await;
        }
    }
    latencies
}

/// Sends `rate` messages a second in uploads of a few, and comes back when it is thrown out.
async fn attacker(addr: SocketAddr, rate: u64, time: Duration) -> u64 {
    let publish = json!({"type": "publish", "address": "flood", "body": "x".repeat(256)});
    let upload = json!(vec![publish.to_string(); usize::try_from(BATCH).unwrap()]).to_string();
    let (begin, mut sent) = (Instant::now(), 0);
    while begin.elapsed() < time + WARM_UP {
        let mut client = socket_with(addr, &[("x-forwarded-for", "192.0.2.66")]).await;
        while begin.elapsed() < time + WARM_UP {
            let due = u64::try_from(begin.elapsed().as_millis()).unwrap() * rate / 1000;
            if sent >= due {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let text = yawc::Frame::text(upload.clone().into_bytes());
            if client.try_send_frame(text).await.is_none() {
                break;
            }
            sent += BATCH;
        }
    }
    sent
}

async fn attack(rate: u64, seconds: u64, rounds: u64) {
    let server = Server::start().await;
    let time = Duration::from_secs(seconds);
    let (mut quiet, mut loud, mut grown) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let p99 = percentile(server.addr, time).await;
        let before = server.memory();
        let flood = tokio::spawn(attacker(server.addr, rate, time));
        let under_attack = percentile(server.addr, time).await;
        let sent = flood.await.unwrap();
        let memory = server.memory() - before;
        grown = grown.max(memory);
        println!(
            "round {round}: p99 {p99} us, under attack {under_attack} us; {sent} hostile messages, memory {memory:+} kB"
        );
        quiet.push(p99);
        loud.push(under_attack);
    }
    quiet.sort_unstable();
    loud.sort_unstable();
    let (quiet, loud) = (quiet[quiet.len() / 2], loud[loud.len() / 2]);
    let moved = 100.0 * (loud as f64 / quiet as f64 - 1.0);
    println!("median p99 {quiet} us, under attack {loud} us: {moved:+.1} % (bar +20 %)");
    println!("memory at most {grown:+} kB (bar +32768 kB)");
}

/// The 99th percentile of all honest clients together, in microseconds.
async fn percentile(addr: SocketAddr, time: Duration) -> u128 {
    let mut clients = JoinSet::new();
    for _ in 0..HONEST {
        clients.spawn(honest(addr, time));
    }
    let mut all: Vec<u128> = clients.join_all().await.concat();
    all.sort_unstable();
    all[all.len() * 99 / 100]
}

async fn churn(cycles: u64) {
    let mut server = Server::start().await;
    visits(server.addr, cycles / 10).await;
    let (memory, left) = (server.memory(), server.left().await);
    println!(
        "after {} visits to warm up: {memory} kB, registrations and tasks {left}",
        cycles / 10
    );
    let begin = Instant::now();
    visits(server.addr, cycles).await;
    let took = begin.elapsed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (after, left) = (server.memory(), server.left().await);
    println!(
        "after {cycles} more in {took:.1?}: {after} kB ({:+} kB), registrations and tasks {left}",
        after - memory
    );
}

/// Connect, register, publish, receive, disconnect.
async fn visits(addr: SocketAddr, count: u64) {
    let register = frame(&json!({"type": "register", "address": "churn"}));
    for number in 0..count {
        let mut client = socket(addr).await;
        client.send(&register).await;
        client.send(&frame(&json!({"type": "publish", "address": "churn", "body": number}))).await;
        while !client.text().await.contains(&number.to_string()) {}
    }
}
