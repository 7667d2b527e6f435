//! The client in a browser, over each transport, against the server named by
//! `TROLLEYBUS_TEST_URL` when this was compiled (`cargo xtask test wasm` does both).
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use futures_util::StreamExt;
use trolleybus_client::{
    Body, BusMessage, Client, DeliveryOptions, Error, ErrorKind, EventBus, Options, Reconnect,
    State, Transport,
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn url() -> &'static str {
    let Some(url) = option_env!("TROLLEYBUS_TEST_URL") else {
        panic!(
            "compile with TROLLEYBUS_TEST_URL=http://host:port/eventbus, or run `cargo xtask test wasm`"
        );
    };
    url
}

fn options(transport: Transport) -> Options {
    let reconnect = Reconnect {
        attempts_max: Some(5),
        delay_min: Duration::from_millis(20),
        delay_max: Duration::from_millis(200),
        ..Reconnect::default()
    };
    Options::new().transports([transport]).reconnect(reconnect)
}

async fn open(transport: Transport) -> Client {
    let client = Client::with_options(url(), options(transport));
    client.opened().await.unwrap();
    assert_eq!(client.state(), State::Open { transport });
    client
}

async fn request(client: &Client, address: &str, text: &str) -> Result<String, Error> {
    let reply = client.request(address, text).await?;
    Ok(reply.body().as_text().unwrap().into_owned())
}

/// Resolves when the server has handled what the client sent before.
async fn settled(client: &Client) {
    let kind = request(client, "nobody consumes this", "").await.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::NoHandlers);
}

fn address(transport: Transport, name: &str) -> String {
    format!("test.{name}.{transport}.{}", js_random())
}

fn js_random() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}

async fn echo(transport: Transport) {
    let client = open(transport).await;
    for text in ["hello", "100% \u{1f68e} \u{2028} \"quoted\" %20 \\", ""] {
        assert_eq!(request(&client, "echo", text).await.unwrap(), text);
    }
}

async fn uppercase(transport: Transport) {
    let client = open(transport).await;
    let mut responses = client.consumer("demo.response");
    settled(&client).await;
    let text = address(transport, "shout");
    client.publish("demo.request", &text).unwrap();
    loop {
        let response = responses.next().await.unwrap();
        if response.body().as_text().unwrap() == text.to_uppercase() {
            return;
        }
    }
}

async fn no_handlers(transport: Transport) {
    let client = open(transport).await;
    let error = request(&client, &address(transport, "nobody"), "").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NoHandlers, -1));
}

async fn reconnect(transport: Transport) {
    let client = open(transport).await;
    let news = address(transport, "news");
    let mut consumer = client.consumer(news.as_str());
    settled(&client).await;
    let pending = client.request(address(transport, "pending"), "x");
    client.reconnect();
    let kind = pending.await.unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::ConnectionLost | ErrorKind::NoHandlers), "{kind:?}");
    client.opened().await.unwrap();
    client.publish(news.as_str(), "after").unwrap();
    let message = consumer.next().await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "after");
}

async fn each_other(transport: Transport) {
    let (one, other) = (open(transport).await, open(transport).await);
    let (first, second) = (address(transport, "first"), address(transport, "second"));
    let shout = |client: &Client, address: &str| {
        client.consumer_fn(address, |message| {
            let text = message.body().as_text().unwrap().to_uppercase();
            message.reply(&text).unwrap();
        })
    };
    let _registrations = (shout(&one, &first), shout(&other, &second));
    settled(&one).await;
    settled(&other).await;
    assert_eq!(request(&other, &first, "a").await.unwrap(), "A");
    assert_eq!(request(&one, &second, "b").await.unwrap(), "B");
}

async fn failure(transport: Transport) {
    let client = open(transport).await;
    let failing = address(transport, "failing");
    let _registration =
        client.consumer_fn(failing.as_str(), |message| message.fail(7, "no").unwrap());
    settled(&client).await;
    let error = request(&client, &failing, "").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::RecipientFailure, 7));
    let silent = address(transport, "silent");
    let _registration = client.consumer_fn(silent.as_str(), drop);
    settled(&client).await;
    let options = DeliveryOptions::new().timeout(Duration::from_millis(50));
    let error = client.request_with(silent, Body::null(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

/// More than one streaming response holds, in both directions.
async fn many(transport: Transport) {
    let client = open(transport).await;
    let stream = address(transport, "stream");
    let mut consumer = client.consumer(stream.as_str());
    let filling = "x".repeat(1000);
    for number in 0..300_u32 {
        client.publish(stream.as_str(), &(number, &filling)).unwrap();
    }
    for number in 0..300_u32 {
        let message = consumer.next().await.unwrap();
        let (got, text): (u32, String) = message.body().parse().unwrap();
        assert_eq!((got, text.len()), (number, 1000));
    }
}

macro_rules! over_each_transport {
    ($($case:ident)*) => {$(
        mod $case {
            use super::*;

            #[wasm_bindgen_test]
            async fn websocket() {
                super::$case(Transport::WebSocket).await;
            }

            #[wasm_bindgen_test]
            async fn xhr_streaming() {
                super::$case(Transport::XhrStreaming).await;
            }

            #[wasm_bindgen_test]
            async fn eventsource() {
                super::$case(Transport::EventSource).await;
            }

            #[wasm_bindgen_test]
            async fn xhr_polling() {
                super::$case(Transport::XhrPolling).await;
            }
        }
    )*};
}

over_each_transport! { echo uppercase no_handlers reconnect each_other failure many }

#[wasm_bindgen_test]
async fn best_transport_is_a_websocket() {
    let client = Client::connect(url());
    client.opened().await.unwrap();
    assert_eq!(client.state().transport(), Some(Transport::WebSocket));
}

#[wasm_bindgen_test]
async fn transport_can_be_changed_while_open() {
    let client = open(Transport::XhrPolling).await;
    let mut consumer = client.consumer("test.changed");
    client.use_transports([Transport::WebSocket]);
    client.opened().await.unwrap();
    client.publish("test.changed", "x").unwrap();
    consumer.next().await.unwrap();
    assert_eq!(client.state().transport(), Some(Transport::WebSocket));
}

#[wasm_bindgen_test]
async fn closed_client_says_so() {
    let client = open(Transport::WebSocket).await;
    let mut consumer = client.consumer("test.closed");
    client.close();
    assert!(consumer.next().await.is_none());
    let last = client.states().collect::<Vec<_>>().await.pop();
    assert!(matches!(last, Some(State::Closed { code: 1000, .. })));
}

#[wasm_bindgen_test]
async fn server_that_is_not_there_is_waited_for() {
    let client = Client::connect("http://127.0.0.1:9/eventbus");
    let waiting =
        |state: State| async move { matches!(state, State::Waiting { .. }).then_some(()) };
    client.states().filter_map(|state| Box::pin(waiting(state))).next().await.unwrap();
    client.close();
    assert!(client.opened().await.is_err());
}
