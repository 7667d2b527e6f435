//! Consumers: registrations, patterns, buffers, callbacks.

use std::time::Duration;

use futures_util::StreamExt;
use trolleybus::bridge::BridgeOptions;
use trolleybus_client::{BusConsumer, BusMessage, Client, ConsumerOptions, ErrorKind, EventBus};
use trolleybus_protocol::codes::Refusal;

use super::server::{Server, quick, request, soon};

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
async fn reading_that_is_given_up_loses_nothing() {
    let server = Server::start();
    let client = server.open().await;
    let mut consumer = client.consumer("numbers");
    soon(consumer.completion()).await.unwrap();
    for number in 0..10_u32 {
        let given_up = tokio::time::timeout(Duration::from_millis(1), consumer.next()).await;
        assert!(given_up.is_err());
        server.bus.publish("numbers", &number).unwrap();
        let message = soon(consumer.next()).await.unwrap();
        assert_eq!(message.body_as::<u32>().unwrap(), number);
    }
}

#[tokio::test]
async fn callback_that_panics_ends_nothing_but_itself() {
    let server = Server::start();
    let client = server.open().await;
    let _registration = client.consumer_fn("careless", |message| {
        let text = message.body().as_text().unwrap();
        assert_eq!(text, "fine", "expected of this test");
        message.reply("done").unwrap();
    });
    client.send("careless", "bad").unwrap();
    let reply = soon(client.request("careless", "fine")).await.unwrap();
    assert_eq!(reply.body().as_text().unwrap(), "done");
    assert!(client.state().is_open());
}
