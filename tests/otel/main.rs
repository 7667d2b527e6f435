//! Spans, as a small collector gets them. One test: spans are for a whole process.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use tokio::sync::oneshot;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{Bus, BusMessage as _, EventBus as _};
use trolleybus_tests::support::server::serve;
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client;

type Collected = Arc<Mutex<Vec<u8>>>;

/// Takes spans as they come; texts and ids stand in them as they are.
async fn collector() -> (SocketAddr, Collected) {
    let collected = Collected::default();
    let take = |State(collected): State<Collected>, body: Bytes| async move {
        collected.lock().unwrap().extend_from_slice(&body);
    };
    let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&collected));
    (serve(app).await, collected)
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_continues_the_trace_of_its_headers() {
    let (addr, collected) = collector().await;
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.telemetry.otlp_endpoint = Some(format!("http://{addr}/v1/traces"));
    config.bridge = BridgeOptions::new().permit_inbound(Permitted::all());
    let telemetry = config.telemetry.start().unwrap();
    let listener = bind(config.server.listen).unwrap();
    let (addr, bus) = (listener.local_addr().unwrap(), Bus::new());
    let app = App::new(bus.clone(), config).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(app.run(listener, async { drop(stopped.await) }));
    let mut orders = bus.consumer("orders.of.today");

    let mut socket = Client::open(addr, "/eventbus/websocket").await;
    let request = format!(
        r#"{{"type":"send","address":"orders.of.today","body":"bodyOfMessage","replyAddress":"r",
            "headers":{{"traceparent":"00-{TRACE}-{PARENT}-01"}}}}"#
    );
    socket.send(&request).await;
    let order = soon(orders.recv()).await.unwrap();
    let context = order.headers().get("traceparent").unwrap().to_owned();
    assert!(context.starts_with(&format!("00-{TRACE}-")), "{context}");
    assert!(!context.contains(PARENT), "the consumer continues the request, not its parent");
    order.reply("done").unwrap();
    assert!(socket.frame().await.is_some());
    socket.send(r#"{"type":"send","address":"no.such","body":1,"replyAddress":"r"}"#).await;
    assert!(socket.frame().await.is_some());

    tokio::task::spawn_blocking(|| telemetry.stop()).await.unwrap();
    let collected = collected.lock().unwrap().clone();
    let has = |wanted: &[u8]| collected.windows(wanted.len()).any(|bytes| bytes == wanted);
    for text in [
        "messaging.system",
        "trolleybus",
        "messaging.destination.name",
        "orders.of.today",
        "messaging.operation.name",
        "request",
        "reply",
        "no_handlers",
    ] {
        assert!(has(text.as_bytes()), "no {text} in the spans");
    }
    assert!(has(&bytes_of(TRACE)) && has(&bytes_of(PARENT)));
    assert!(!has(b"bodyOfMessage"));
    drop(socket);
    stop.send(()).unwrap();
    soon(run).await.unwrap();
}
