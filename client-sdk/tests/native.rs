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
use trolleybus::access::{AuthFailure, Authenticating, Authenticator, Principal};
use trolleybus::bridge::{Authentication, Bridge, BridgeOptions, Permitted};
use trolleybus_client::{
    Body, BusConsumer, BusMessage, BusProducer, Client, ConsumerOptions, DeliveryOptions, Error,
    ErrorKind, EventBus, Interception, Options, OutboxPolicy, Reconnect, State, Transport,
};
use trolleybus_protocol::codes::Refusal;

/// A bridge that permits everything; dropping it stops its listener and all its sockets.
struct Server {
    bus: Bus,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    fn start() -> Self {
        Self::with(anything(), None)
    }

    fn with(rules: BridgeOptions, authentication: Option<Authentication>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::serve(listener, rules, authentication)
    }

    fn start_on(listener: std::net::TcpListener) -> Self {
        Self::serve(listener, anything(), None)
    }

    fn serve(
        listener: std::net::TcpListener,
        rules: BridgeOptions,
        authentication: Option<Authentication>,
    ) -> Self {
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
            let mut builder = Bridge::builder(serving, rules);
            if let Some(authentication) = authentication {
                builder = builder.authentication(authentication);
            }
            let bridge = builder.build().unwrap();
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

fn anything() -> BridgeOptions {
    let anything = Permitted::default();
    BridgeOptions::new().permit_inbound(anything.clone()).permit_outbound(anything)
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

/// Resolves when `client` is in a state that fits.
async fn state(client: &Client, fits: impl Fn(&State) -> bool) -> State {
    let mut states = client.states();
    loop {
        let state = soon(states.next()).await.unwrap();
        if fits(&state) {
            return state;
        }
    }
}

#[tokio::test]
async fn registration_is_acknowledged_and_so_is_its_end() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer("a");
    soon(consumer.completion()).await.unwrap();
    assert!(consumer.is_registered());
    server.bus.publish("a", "hello").unwrap();
    assert!(soon(consumer.next()).await.is_some());
    soon(consumer.unregister()).await.unwrap();
    assert!(!consumer.is_registered());
    assert!(soon(consumer.next()).await.is_none());
    let error = soon(server.bus.request("a", "hello")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
}

#[tokio::test]
async fn registration_that_no_rule_permits_fails_its_completion() {
    let server = Server::with(BridgeOptions::new(), None);
    let client = server.open().await;
    let consumer = client.consumer("a");
    let error = soon(consumer.completion()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(Refusal::AccessDenied));
    assert!(!consumer.is_registered());
}

#[tokio::test]
async fn pattern_and_exact_consumers_get_each_message_once() {
    let server = Server::start();
    let client = server.open().await;
    let mut exact = client.consumer("news.eu");
    let mut pattern = client.consumer_with("news.*", ConsumerOptions::new().pattern());
    soon(exact.completion()).await.unwrap();
    soon(pattern.completion()).await.unwrap();
    server.bus.publish("news.eu", &1).unwrap();
    server.bus.publish("news.us", &2).unwrap();
    let message = soon(exact.next()).await.unwrap();
    assert_eq!((message.pattern(), message.dropped()), (None, 0));
    for address in ["news.eu", "news.us"] {
        let message = soon(pattern.next()).await.unwrap();
        assert_eq!(message.address().as_str(), address);
        assert_eq!(message.pattern().unwrap().as_str(), "news.*");
    }
}

#[tokio::test]
async fn pattern_that_is_none_ends_at_once() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer_with("news*", ConsumerOptions::new().pattern());
    assert!(soon(consumer.next()).await.is_none());
    let error = soon(consumer.completion()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(Refusal::InvalidPattern));
}

#[tokio::test]
async fn writes_tell_whether_anybody_is_there() {
    let server = Server::start();
    let client = server.open().await;
    let _served = server.bus.consumer("served");
    for producer in [client.sender("served"), client.publisher("served")] {
        soon(producer.write("hello")).await.unwrap();
    }
    for producer in [client.sender("nobody"), client.publisher("nobody")] {
        let error = soon(producer.write("hello")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoHandlers);
    }
}

#[tokio::test]
async fn paused_consumer_buffers_and_discards_the_newest() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer_with("a", ConsumerOptions::new().max_buffered(2));
    let discarded = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = discarded.clone();
    consumer.on_discard(move |message| {
        kept.lock().unwrap().push(message.body().as_json().to_owned());
    });
    consumer.pause();
    soon(consumer.completion()).await.unwrap();
    for n in 1..=2 {
        server.bus.publish("a", &n).unwrap();
    }
    let error = soon(server.bus.request("a", &3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecipientFailure, "told at once");
    assert_eq!(*discarded.lock().unwrap(), ["3"]);
    assert_eq!(consumer.dropped(), 1);
    let none = futures_util::poll!(consumer.next());
    assert!(none.is_pending());
    consumer.fetch(1);
    assert_eq!(soon(consumer.next()).await.unwrap().body().as_json(), "1");
    assert!(futures_util::poll!(consumer.next()).is_pending());
    consumer.resume();
    assert_eq!(soon(consumer.next()).await.unwrap().body().as_json(), "2");
}

#[tokio::test]
async fn interceptors_change_drop_and_fail() {
    let server = Server::start();
    let client = server.open().await;
    let _shout = shout(&client, "shout");
    settled(&client).await;
    let guard = client.add_outbound_interceptor(|context| match context.address().as_str() {
        "shout" => {
            context.set_body("changed").unwrap();
            Interception::Continue
        }
        "dropped" => Interception::Drop,
        "failed" => Interception::fail(7, "not today"),
        _ => Interception::Continue,
    });
    assert_eq!(request(&client, "shout").await.unwrap(), "CHANGED");
    assert_eq!(request(&client, "dropped").await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(request(&client, "failed").await.unwrap_err().code(), 7);
    soon(client.sender("dropped").write("x")).await.unwrap();
    drop(guard);
    assert_eq!(request(&client, "shout").await.unwrap(), "HELLO");
    let _guard = client.add_inbound_interceptor(|context| {
        if context.address().as_str() == "shout" {
            return Interception::fail(8, "not in");
        }
        Interception::Continue
    });
    assert_eq!(request(&client, "shout").await.unwrap_err().code(), 8);
}

/// Trusts `fresh…`; `old` has expired.
#[derive(Debug)]
struct Fresh;

impl Authenticator for Fresh {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            if token.starts_with("fresh") {
                return Ok(Principal::new(token));
            }
            Err(if token == "old" { AuthFailure::Expired } else { AuthFailure::Invalid })
        })
    }
}

/// Gives the tokens in turn, the last one for ever.
fn tokens(tokens: &'static [&'static str]) -> Options {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    quick().token_provider(move || {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = tokens[at.min(tokens.len() - 1)];
        async move { Ok::<_, Error>(token.to_owned()) }
    })
}

fn own_inbox() -> Server {
    let rule = || Permitted::address("user.${sub}");
    let rules = BridgeOptions::new().permit_inbound(rule()).permit_outbound(rule());
    Server::with(rules, Some(Authentication::new(std::sync::Arc::new(Fresh))))
}

#[tokio::test]
async fn rules_see_who_the_token_names() {
    let server = own_inbox();
    let client = Client::with_options(&server.url(), tokens(&["fresh"]));
    let mut own = client.consumer("user.fresh");
    soon(own.completion()).await.unwrap();
    let error = soon(client.consumer("user.other").completion()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused(_)));
    server.bus.publish("user.fresh", "hello").unwrap();
    assert!(soon(own.next()).await.is_some());
}

#[tokio::test]
async fn expired_token_is_replaced_by_a_fresh_one() {
    let server = own_inbox();
    let client = Client::with_options(&server.url(), tokens(&["old", "fresh"]));
    let mut own = client.consumer("user.fresh");
    soon(async {
        // The first connection may have registered before its token was turned down.
        while own.completion().await.is_err() {
            state(&client, State::is_open).await;
        }
    })
    .await;
    server.bus.publish("user.fresh", "hello").unwrap();
    assert!(soon(own.next()).await.is_some());
}

#[tokio::test]
async fn who_waits_for_room_loses_nothing_and_keeps_its_order() {
    let server = Server::start();
    let options = quick().outbox_len(10).outbox_policy(OutboxPolicy::Wait);
    let client = Client::with_options(&server.url(), options);
    let mut numbers = client.consumer_with("numbers", ConsumerOptions::new().max_buffered(1000));
    soon(numbers.completion()).await.unwrap();
    for number in 0..1000_u32 {
        let options = DeliveryOptions::default();
        soon(client.publish_when_possible("numbers", &number, options)).await.unwrap();
    }
    for number in 0..1000_u32 {
        let message = soon(numbers.next()).await.unwrap();
        assert_eq!(message.body().parse::<u32>().unwrap(), number);
    }
}

#[tokio::test]
async fn waiting_for_room_can_be_given_up_and_ends_with_the_client() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/eventbus", listener.local_addr().unwrap());
    let client = Client::with_options(&url, quick().outbox_len(1));
    soon(client.room()).await.unwrap();
    client.publish("a", "first").unwrap();
    let given_up = client.send_when_possible("a", "second", DeliveryOptions::default());
    assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
    let waiting = client.publish_when_possible("a", "third", DeliveryOptions::default());
    let (waiting, room, ()) =
        tokio::join!(soon(waiting), soon(client.room()), async { client.close() });
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(room.unwrap_err().kind(), ErrorKind::Closed);
    // The listener never answered, so nothing was sent.
    drop(listener);
}
