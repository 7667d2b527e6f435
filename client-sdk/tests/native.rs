//! The native client against a real bridge in the same process.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use trolleybus::Bus;
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus_client::{
    Body, BusMessage, Client, DeliveryOptions, Error, ErrorKind, EventBus, Options, Reconnect,
    State, Transport,
};

/// A bridge that permits everything; dropping it stops its listener and all its sockets.
struct Server {
    bus: Bus,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    fn start() -> Self {
        Self::start_on(std::net::TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn start_on(listener: std::net::TcpListener) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let bus = Bus::new();
        let serving = bus.clone();
        runtime.spawn(async move {
            let anything = Permitted::default();
            let rules =
                BridgeOptions::new().permit_inbound(anything.clone()).permit_outbound(anything);
            let bridge = Bridge::new(serving, rules).unwrap();
            let app: Router = Router::new().nest_service("/eventbus", bridge.router());
            let listener = TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        let runtime = Some(runtime);
        Self { bus, address, runtime }
    }

    fn url(&self) -> String {
        format!("http://{}/eventbus", self.address)
    }

    async fn open(&self) -> Client {
        let client = Client::with_options(&self.url(), quick());
        soon(client.opened()).await.unwrap();
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn quick() -> Options {
    Options::new().reconnect(Reconnect {
        delay_min: Duration::from_millis(20),
        delay_max: Duration::from_millis(100),
        ..Reconnect::default()
    })
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, future).await.expect("nothing happened before the deadline")
}

async fn request(client: &Client, address: &str) -> Result<String, Error> {
    let reply = soon(client.request(address, "hello")).await?;
    Ok(reply.body().as_text().unwrap().into_owned())
}

/// Resolves when the server has handled what the client sent before.
async fn settled(client: &Client) {
    let kind = request(client, "nobody consumes this").await.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::NoHandlers);
}

/// A consumer that answers each request in upper case.
fn shout(client: &Client, address: &str) -> trolleybus_client::Registration {
    client.consumer_fn(address, |message| {
        let text = message.body().as_text().unwrap().to_uppercase();
        message.reply(&text).unwrap();
    })
}

#[tokio::test]
async fn two_clients_serve_each_other() {
    let server = Server::start();
    let (one, other) = (server.open().await, server.open().await);
    let _first = shout(&one, "first");
    let _second = shout(&other, "second");
    settled(&one).await;
    settled(&other).await;
    assert_eq!(request(&other, "first").await.unwrap(), "HELLO");
    assert_eq!(request(&one, "second").await.unwrap(), "HELLO");
}

#[tokio::test]
async fn publications_come_in_order_with_headers() {
    let server = Server::start();
    let client = server.open().await;
    let mut news = client.consumer("news");
    for number in 0..100 {
        let options = DeliveryOptions::new().header("n", number.to_string()).unwrap();
        client.publish_with("news", &number, options).unwrap();
    }
    for number in 0..100 {
        let message = soon(news.next()).await.unwrap();
        assert_eq!(message.body().as_json(), number.to_string());
        assert_eq!(message.headers().get("N"), Some(&*number.to_string()));
        assert!(!message.is_local());
    }
}

#[tokio::test]
async fn failures_have_their_kind() {
    let server = Server::start();
    let client = server.open().await;
    let _consumer = client.consumer_fn("failing", |message| message.fail(7, "no").unwrap());
    let _silent = client.consumer_fn("silent", drop);
    let error = request(&client, "failing").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::RecipientFailure, 7));
    assert_eq!(error.message(), Some("no"));
    let options = DeliveryOptions::new().timeout(Duration::from_millis(50));
    let response = client.request_with("silent", Body::null(), options);
    assert_eq!(soon(response).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn reply_can_ask_back() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer("a");
    let asked = client.request("a", "question");
    let message = soon(consumer.next()).await.unwrap();
    let back = message.reply_and_request("which?");
    let reply = soon(asked).await.unwrap();
    reply.reply("that").unwrap();
    assert_eq!(soon(back).await.unwrap().body().as_text().unwrap(), "that");
}

#[tokio::test]
async fn consumers_are_registered_again_after_a_reconnect() {
    let server = Server::start();
    let client = server.open().await;
    let mut news = client.consumer("news");
    settled(&client).await;
    client.reconnect();
    client.publish("news", "after").unwrap();
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "after");
}

#[tokio::test]
async fn server_that_comes_back_is_found_and_requests_do_not_hang() {
    let server = Server::start();
    let client = server.open().await;
    let mut states = client.states();
    let mut news = client.consumer("news");
    let _silent = client.consumer_fn("silent", drop);
    settled(&client).await;
    let pending = client.request("silent", "x");
    settled(&client).await;
    let address = server.address;
    drop(server);
    let error = soon(pending).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    client.publish("news", "waiting").unwrap();
    let server = soon(async {
        loop {
            match std::net::TcpListener::bind(address) {
                Ok(listener) => return Server::start_on(listener),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "waiting");
    let open = State::Open { transport: Transport::WebSocket };
    soon(async { while states.next().await.unwrap() != open {} }).await;
    drop(server.bus.clone());
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_connection_and_says_what_was_left() {
    let server = Server::start();
    let mut news = server.bus.consumer("news");
    let client = server.open().await;
    let mut states = client.states();
    client.publish("news", "last words").unwrap();
    drop(client);
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "last words");
    let closed = soon(async {
        loop {
            match states.next().await.unwrap() {
                State::Closed { code, .. } => return code,
                _ => continue,
            }
        }
    });
    assert_eq!(closed.await, 1000);
    assert_eq!(soon(states.next()).await, None);
}

#[tokio::test]
async fn close_ends_consumers_and_refuses_messages() {
    let server = Server::start();
    let client = server.open().await;
    let mut news = client.consumer("news");
    client.close();
    assert!(soon(news.next()).await.is_none());
    assert_eq!(client.publish("news", "x").unwrap_err().kind(), ErrorKind::Closed);
    assert!(soon(client.opened()).await.is_err());
    assert!(soon(client.consumer("late").next()).await.is_none());
    let error = soon(client.request("news", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn full_buffer_discards_the_newest_and_fails_its_sender() {
    let server = Server::start();
    let client = Client::with_options(&server.url(), quick().buffer_len(2));
    let mut slow = client.consumer("slow");
    let kept = [client.request("slow", "1"), client.request("slow", "2")];
    let error = request(&client, "slow").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecipientFailure);
    assert_eq!(slow.dropped(), 1);
    for expected in ["1", "2"] {
        assert_eq!(soon(slow.next()).await.unwrap().body().as_text().unwrap(), expected);
    }
    drop(kept);
}

#[tokio::test]
async fn refused_connection_closes_when_no_reconnect_is_wanted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/eventbus", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::with_options(&url, Options::new().reconnect(Reconnect::never()));
    assert_eq!(soon(client.opened()).await.unwrap_err().kind(), ErrorKind::Closed);
    let client = Client::connect("no url");
    assert!(matches!(client.state(), State::Closed { code: 1002, .. }));
}

#[tokio::test]
async fn local_messages_need_no_server() {
    let client = Client::connect("http://127.0.0.1:9/eventbus");
    let mut local = client.local_consumer("a");
    let asked = client.request("a", "hello");
    let message = soon(local.next()).await.unwrap();
    assert!(message.is_local());
    message.reply("done").unwrap();
    assert_eq!(soon(asked).await.unwrap().body().as_text().unwrap(), "done");
}

#[tokio::test]
async fn large_messages_pass() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer("large");
    let text = "x".repeat(60_000);
    for _ in 0..10 {
        client.publish("large", &text).unwrap();
    }
    for _ in 0..10 {
        assert_eq!(soon(consumer.next()).await.unwrap().body().as_text().unwrap(), text);
    }
}

#[test]
fn handles_travel_between_threads() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Client>();
    travels::<trolleybus_client::Message>();
    travels::<trolleybus_client::Consumer>();
    travels::<trolleybus_client::Registration>();
    travels::<trolleybus_client::Response>();
    travels::<trolleybus_client::States>();
    travels::<trolleybus_client::Errors>();
    travels::<trolleybus_client::Opened>();
}
