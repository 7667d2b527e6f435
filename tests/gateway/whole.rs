//! The gateways within the whole server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use trolleybus::Bus;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus_tests::support::http::{post, stream};
use trolleybus_tests::support::soon;

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
