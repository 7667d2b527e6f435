//! The gateways within the whole server.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeEvent, BridgeOptions, Permitted};
use trolleybus::{Bus, EventBus as _};
use trolleybus_tests::support::http::{get, post, stream};
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client as WebSocket;

use super::client::Client;

#[tokio::test]
async fn all_ways_in_share_the_bus_and_its_rules_and_end_together() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let bridge = BridgeOptions::new()
        .permit_inbound(Permitted::address("news"))
        .permit_outbound(Permitted::address("news"));
    let mut config = Config { bridge, ..Config::default() };
    config.gateway.tcp.listen = Some(any);
    config.gateway.http.path = Some("/api".to_owned());
    let listener = bind(any).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut app = App::new(Bus::new(), config).unwrap();
    let tcp = app.bind_tcp_gateway().unwrap().unwrap();
    let (stop, stopped) = oneshot::channel();
    let run = tokio::spawn(app.run(listener, async {
        stopped.await.ok();
    }));

    let mut client = Client { stream: TcpStream::connect(tcp).await.unwrap() };
    client.register("news").await;
    let (mut reader, _) = stream(addr, "GET", "/api/subscribe/news").await;
    assert_eq!(reader.chunk().await.as_deref(), Some(": subscribed\n\n"));
    assert_eq!(post(addr, "/api/publish/news", "\"goal\"").await.status(), 204);
    assert_eq!(client.next().await["body"], "goal");
    assert!(reader.chunk().await.unwrap().contains("\"goal\""));
    assert_eq!(post(addr, "/api/publish/secret", "1").await.status(), 403);
    client.send(json!({"type": "publish", "address": "secret"})).await;
    assert_eq!(client.refusal().await, "access_denied");

    let begin = Instant::now();
    stop.send(()).unwrap();
    client.ended().await;
    drop(client);
    assert_eq!(reader.chunk().await, None);
    soon(run).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4), "the drain timeout had to end it");
}

#[tokio::test]
async fn one_hook_guards_all_ways_in() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let bridge =
        BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
    let mut config = Config { bridge, ..Config::default() };
    config.gateway.tcp.listen = Some(any);
    config.gateway.http.path = Some("/api".to_owned());
    let hook = |event: BridgeEvent| {
        ready(if event.address() == "secret" { event.reject() } else { event.accept() })
    };
    let listener = bind(any).unwrap();
    let addr = listener.local_addr().unwrap();
    let bus = Bus::new();
    let consumer = bus.consumer("secret");
    let mut app = App::hooked(bus.clone(), config, hook).unwrap();
    let tcp = app.bind_tcp_gateway().unwrap().unwrap();
    let (stop, stopped) = oneshot::channel();
    let run = tokio::spawn(app.run(listener, async {
        stopped.await.ok();
    }));

    let mut client = Client { stream: TcpStream::connect(tcp).await.unwrap() };
    for operation in ["send", "publish", "register"] {
        client.send(json!({"type": operation, "address": "secret"})).await;
        assert_eq!(client.refusal().await, "blocked by bridgeEvent handler");
    }
    client.register("open").await;
    for operation in ["send", "publish", "request"] {
        let refused = post(addr, &format!("/api/{operation}/secret"), "1").await;
        assert_eq!(refused.status(), 403, "{operation}");
    }
    assert_eq!(get(addr, "/api/subscribe/secret").await.status(), 403);
    assert_eq!(post(addr, "/api/publish/open", "1").await.status(), 204);
    assert_eq!(client.next().await["body"], 1);
    let mut socket = WebSocket::open(addr, "/eventbus/000/session/websocket").await;
    assert_eq!(socket.text().await, "o");
    let envelope = json!({"type": "publish", "address": "secret"});
    socket.send(&json!([envelope.to_string()]).to_string()).await;
    assert!(socket.text().await.contains("rejected"));
    assert_eq!(consumer.buffered(), 0);
    stop.send(()).unwrap();
    drop((client, socket));
    soon(run).await.unwrap();
}

#[test]
fn what_is_not_asked_for_is_off() {
    let config = Config::default();
    assert_eq!((config.gateway.tcp.listen, config.gateway.http.path), (None, None));
}

#[test]
fn mistakes_are_named_by_their_whole_key() {
    let key = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().key
    };
    assert_eq!(key(|config| config.gateway.tcp.max_connections = 0), "gateway.tcp.max_connections");
    assert_eq!(key(|config| config.gateway.http.max_streams = 0), "gateway.http.max_streams");
    let same = |config: &mut Config| config.gateway.http.path = Some("/eventbus".to_owned());
    assert_eq!(key(same), "gateway.http.path");
}

#[tokio::test]
async fn with_a_certificate_the_bridge_over_tcp_speaks_tls() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let folder = std::env::temp_dir().join(format!("trolleybus-tcp-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate_file, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let mut config = Config::default();
    config.tls.certificate = Some(certificate_file);
    config.tls.key = Some(key_file);
    config.gateway.tcp.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let mut app = App::new(Bus::new(), config).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let addr = app.bind_tcp_gateway().unwrap().unwrap();
    let (stop, stopped) = oneshot::channel();
    let run = tokio::spawn(app.run(listener, async {
        stopped.await.ok();
    }));

    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(addr).await.unwrap();
    let stream = soon(TlsConnector::from(Arc::new(trust)).connect(name, stream)).await.unwrap();
    let mut client = Client { stream };
    client.settle().await;
    // Who does not begin with a handshake gets no further, and does not hold up the end.
    let mut plain = Client { stream: TcpStream::connect(addr).await.unwrap() };
    let _silent = TcpStream::connect(addr).await.unwrap();
    plain.send(json!({"type": "ping"})).await;
    let mut rest = Vec::new();
    soon(plain.stream.read_to_end(&mut rest)).await.ok();
    assert!(!rest.ends_with(b"{\"type\":\"pong\"}"));
    stop.send(()).unwrap();
    client.ended().await;
    drop(client);
    soon(run).await.unwrap();
}
