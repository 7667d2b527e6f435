//! The server as a whole: its accept loop, its site and its end.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod auth;
mod native_client;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{Bus, EventBus as _};
use trolleybus_tests::support::http::{Connection, get, post, request, stream};
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client;

struct Server {
    addr: SocketAddr,
    bus: Bus,
    stop: oneshot::Sender<()>,
    run: JoinHandle<()>,
    draining: CancellationToken,
}

fn config() -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.bridge =
        BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
    config
}

impl Server {
    async fn start(config: Config) -> Self {
        let bus = Bus::new();
        let app = App::new(bus.clone(), config.clone()).unwrap();
        Self::run(app, bus, &config)
    }

    /// A server with the bridge over TCP, and where that is.
    async fn start_with_tcp(config: Config) -> (Self, SocketAddr) {
        let bus = Bus::new();
        let mut app = App::new(bus.clone(), config.clone()).unwrap();
        let tcp = app.bind_tcp_gateway().unwrap().unwrap();
        (Self::run(app, bus, &config), tcp)
    }

    fn run(app: App, bus: Bus, config: &Config) -> Self {
        let listener = bind(config.server.listen).unwrap();
        let addr = listener.local_addr().unwrap();
        let draining = app.draining();
        let (stop, stopped) = oneshot::channel();
        let run = tokio::spawn(app.run(listener, async {
            stopped.await.ok();
        }));
        Self { addr, bus, stop, run, draining }
    }
}

/// What still comes until the server ends the connection.
async fn until_cut(stream: &mut TcpStream) -> usize {
    let mut rest = Vec::new();
    soon(stream.read_to_end(&mut rest)).await.ok();
    rest.len()
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let mut config = config();
    config.server.header_timeout_ms = 100;
    let server = Server::start(config).await;
    let mut connection = Connection::open(server.addr).await;
    connection.write("GET /eventbus/info HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert_eq!(connection.rest().await, "");
}

#[tokio::test]
async fn connections_are_bounded_and_free_places_are_used_again() {
    let mut config = config();
    config.server.max_connections = 1;
    let server = Server::start(config).await;
    let mut first = Connection::open(server.addr).await;
    first.request("GET", "/eventbus/", "", "").await;
    assert_eq!(first.answer().await.status(), 200);
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(until_cut(&mut second).await, 0);
    first.request("GET", "/eventbus/", "Connection: close\r\n", "").await;
    assert_eq!(first.answer().await.status(), 200);
    assert_eq!(first.rest().await, "");
    // The place is free when the first connection's task has ended.
    soon(served_again(server.addr)).await;
}

/// Asks until a connection is served.
async fn served_again(addr: SocketAddr) {
    loop {
        let mut connection = Connection::open(addr).await;
        connection.request("GET", "/eventbus/", "Connection: close\r\n", "").await;
        if connection.rest().await.starts_with("HTTP/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let mut config = config();
    config.server.header_timeout_ms = 60_000;
    config.server.write_timeout_ms = 200;
    config.server.max_connections = 2;
    let server = Server::start(config).await;
    let (mut reader, _) = stream(server.addr, "POST", "/eventbus/000/stalled/xhr_streaming").await;
    reader.chunk().await;
    assert_eq!(reader.chunk().await.as_deref(), Some("o\n"));
    let register = r#"["{\"type\":\"register\",\"address\":\"a\"}"]"#;
    let sent = post(server.addr, "/eventbus/000/stalled/xhr_send", register).await;
    assert_eq!(sent.status(), 204);
    // More than the system's buffers and the outbox hold.
    let body = "x".repeat(64 * 1024);
    let full = async {
        while server.bus.stats().registrations == 0 {
            tokio::task::yield_now().await;
        }
        while server.bus.stats().registrations > 0 {
            server.bus.publish("a", body.as_str()).unwrap();
            tokio::task::yield_now().await;
        }
    };
    soon(full).await;
    // Its place is free again although it reads nothing.
    let both_places = async {
        loop {
            let mut pair = Vec::new();
            for _ in 0..2 {
                let mut connection = Connection::open(server.addr).await;
                connection.request("GET", "/eventbus/", "", "").await;
                let mut start = [0; 12];
                let read = connection.stream.read_exact(&mut start).await;
                pair.push((connection, read.is_ok_and(|_| &start == b"HTTP/1.1 200")));
            }
            if pair.iter().all(|(_, is_served)| *is_served) {
                break;
            }
        }
    };
    soon(both_places).await;
}

#[tokio::test]
async fn every_kind_of_client_hears_of_the_end_and_it_comes_soon() {
    let server = Server::start(config()).await;
    let mut socket = Client::open(server.addr, "/eventbus/000/one/websocket").await;
    assert_eq!(socket.text().await, "o");
    let (mut streaming, _) = stream(server.addr, "POST", "/eventbus/000/two/xhr_streaming").await;
    streaming.chunk().await;
    assert_eq!(streaming.chunk().await.as_deref(), Some("o\n"));
    assert_eq!(post(server.addr, "/eventbus/000/three/xhr", "").await.body, "o\n");
    let mut polling = Connection::open(server.addr).await;
    polling.request("POST", "/eventbus/000/three/xhr", "", "").await;
    // Served before the end begins, and so is the poll, which came earlier.
    assert_eq!(get(server.addr, "/eventbus/info").await.status(), 200);

    let begin = std::time::Instant::now();
    server.stop.send(()).unwrap();
    let close = r#"c[1012,"Service restart"]"#;
    assert_eq!(socket.text().await, close);
    assert_eq!(streaming.chunk().await.as_deref(), Some(&*format!("{close}\n")));
    assert_eq!(polling.answer().await.body, format!("{close}\n"));
    drop(socket);
    soon(server.run).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4), "the drain timeout had to end it");
}

#[tokio::test]
async fn clients_are_told_to_leave_at_the_rate_and_readiness_ends_at_once() {
    let mut config = config();
    config.server.drain_rate = 10;
    config.server.drain_timeout_ms = 60_000;
    let server = Server::start(config).await;
    let mut sockets = Vec::new();
    for number in 0..6 {
        let path = format!("/eventbus/000/{number}/websocket");
        let mut socket = Client::open(server.addr, &path).await;
        assert_eq!(socket.text().await, "o");
        sockets.push(socket);
    }
    let begin = std::time::Instant::now();
    server.stop.send(()).unwrap();
    soon(server.draining.cancelled()).await;
    let told = sockets.into_iter().map(|mut socket| async move {
        assert_eq!(socket.text().await, r#"c[1012,"Service restart"]"#);
        std::time::Instant::now()
    });
    let mut told = futures_util::future::join_all(told).await;
    told.sort();
    // The first after a tenth of a second, the last after six of them.
    assert!(told[0] >= begin + Duration::from_millis(95), "{:?}", told[0] - begin);
    assert!(told[5] >= begin + Duration::from_millis(595), "{:?}", told[5] - begin);
    soon(server.run).await.unwrap();
}

#[tokio::test]
async fn connections_from_one_network_address_are_bounded_before_they_say_a_word() {
    let mut config = config();
    config.limits.exempt_networks.clear();
    config.limits.ip.tcp_connections = 1;
    let server = Server::start(config).await;
    let silent = TcpStream::connect(server.addr).await.unwrap();
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(until_cut(&mut second).await, 0);
    drop(silent);
    soon(served_again(server.addr)).await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let mut config = config();
    config.limits.ip.connections = 1;
    config.limits.ip.tcp_connections = 1;
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let server = Server::start(config).await;
    let open = async |session: &str, forwarded: &str| {
        let path = format!("/eventbus/000/{session}/xhr");
        let headers = format!("X-Forwarded-For: {forwarded}\r\n");
        let opened = request(server.addr, "POST", &path, &headers, "").await;
        assert_eq!(opened.body, "o\n");
        // Closed at once, or still there when it is asked for something.
        let sent = r#"["{\"type\":\"nonsense\",\"address\":\"\"}"]"#;
        post(server.addr, &format!("{path}_send"), sent).await;
        post(server.addr, &path, "").await.body
    };
    assert!(open("a", "192.0.2.1").await.starts_with('a'));
    assert!(open("b", "192.0.2.2").await.starts_with('a'));
    let refused = "c[3006,\"Too many connections\"]\n";
    assert_eq!(open("c", "192.0.2.1").await, refused);
    // What a client writes itself stands before what the proxy adds.
    assert_eq!(open("d", "198.51.100.7, 192.0.2.2").await, refused);
}

#[tokio::test]
async fn over_http_a_client_behind_a_proxy_has_rates_of_its_own() {
    let mut config = config();
    (config.limits.ip.bytes_per_second, config.limits.ip.byte_burst) = (1, 60);
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.gateway.http.path = Some("/api".to_owned());
    let server = Server::start(config).await;
    let _consumer = server.bus.consumer("a");
    let body = format!("\"{}\"", "x".repeat(38));
    let publish = async |forwarded: &str| {
        let headers = format!("X-Forwarded-For: {forwarded}\r\n");
        let path = "/api/publish/a";
        request(server.addr, "POST", path, &headers, &body).await.status()
    };
    assert_eq!(publish("192.0.2.1").await, 204);
    assert_eq!(publish("192.0.2.1").await, 429);
    assert_eq!(publish("192.0.2.2").await, 204);
    assert_eq!(publish("198.51.100.7, 192.0.2.2").await, 429);
}

#[tokio::test]
async fn the_site_is_served_with_its_policy_and_nothing_outside_of_it() {
    let folder = std::env::temp_dir().join(format!("trolleybus-site-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("guide")).unwrap();
    std::fs::write(folder.join("index.html"), "<h1>hello</h1>").unwrap();
    let mut config = config();
    config.server.www = Some(folder.clone());
    let server = Server::start(config).await;
    let index = get(server.addr, "/").await;
    assert_eq!((index.status(), index.body.as_str()), (200, "<h1>hello</h1>"));
    assert!(index.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    assert_eq!(index.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(get(server.addr, "/guide").await.header("location"), Some("/guide/"));
    // A browser would take the folder for a host.
    assert_eq!(get(server.addr, "//guide").await.header("location"), None);
    for path in
        ["/missing", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//index.html"]
    {
        assert_eq!(get(server.addr, path).await.status(), 404, "{path}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
