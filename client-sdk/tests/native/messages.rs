//! Messages between clients: requests, replies, failures, order, size.

use std::time::Duration;

use futures_util::StreamExt;
use trolleybus_client::{Body, BusMessage, Client, DeliveryOptions, ErrorKind, EventBus};

use super::server::{Server, request, settled, shout, soon};

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
