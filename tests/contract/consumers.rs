//! Consumers: pause, fetch and the bounded buffer; completion and unregister.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use trolleybus::{BusConsumer, BusMessage, ConsumerOptions, ErrorKind, EventBus};

use crate::subject::{Subject, bodies, consume, consume_with, next};
use crate::support::soon;

macro_rules! consumers {
    ($subject:ty) => {
        run!($subject, consumers:
            a_paused_consumer_keeps_its_order
            a_full_buffer_discards_the_newest_and_tells_the_requester
            fetch_takes_as_many_as_asked_for
            unregistering_ends_the_stream_and_tells_requesters
            unregistering_twice_is_harmless
            dropping_unregisters
            one_address_may_be_left_one_by_one
        );
    };
}

/// Bodies that the consumer discards, as they are discarded.
fn discards<M: BusMessage, C: BusConsumer<Item = M>>(
    consumer: &C,
) -> mpsc::UnboundedReceiver<String> {
    let (sender, discards) = mpsc::unbounded_channel();
    consumer.on_discard(move |message| {
        sender.send(message.body().as_json().to_owned()).ok();
    });
    discards
}

pub(crate) async fn a_paused_consumer_keeps_its_order<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let mut other = consume(&subject.party().await, "b").await;
    consumer.pause();
    for number in 0..10 {
        bus.send("a", &number).unwrap();
    }
    bus.publish("b", "all of them are there").unwrap();
    next(&mut other).await;
    assert!(consumer.next().now_or_never().is_none());
    consumer.resume();
    let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&mut consumer, 10).await, expected);
}

pub(crate) async fn a_full_buffer_discards_the_newest_and_tells_the_requester<S: Subject>(
    subject: &S,
) {
    let bus = subject.party().await;
    let options = ConsumerOptions::new().max_buffered(10);
    let mut consumer = consume_with(&bus, "a", options).await;
    let mut discards = discards(&consumer);
    consumer.pause();
    for number in 0..10 {
        bus.send("a", &number).unwrap();
    }
    let error = soon(bus.request("a", &10)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::RecipientFailure), "{error}");
    assert!(error.message().unwrap().starts_with("Discarded the request"), "{error}");
    assert_eq!(soon(discards.recv()).await.unwrap(), "10");
    consumer.resume();
    bodies(&mut consumer, 10).await;
    bus.send("a", &11).unwrap();
    assert_eq!(bodies(&mut consumer, 1).await, ["11"]);
}

pub(crate) async fn fetch_takes_as_many_as_asked_for<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let options = ConsumerOptions::new().max_buffered(5);
    let mut consumer = consume_with(&bus, "a", options).await;
    let mut discards = discards(&consumer);
    consumer.pause();
    consumer.fetch(4);
    for number in 0..4 {
        bus.send("a", &number).unwrap();
    }
    assert_eq!(bodies(&mut consumer, 4).await, ["0", "1", "2", "3"]);
    for number in 4..11 {
        bus.send("a", &number).unwrap();
    }
    for discarded in ["9", "10"] {
        assert_eq!(soon(discards.recv()).await.unwrap(), discarded);
    }
    assert!(consumer.next().now_or_never().is_none());
    consumer.fetch(2);
    assert_eq!(bodies(&mut consumer, 2).await, ["4", "5"]);
    assert!(consumer.next().now_or_never().is_none());
    consumer.resume();
    consumer.fetch(1);
    assert_eq!(bodies(&mut consumer, 3).await, ["6", "7", "8"]);
}

pub(crate) async fn unregistering_ends_the_stream_and_tells_requesters<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    consumer.on_discard(move |message| log.lock().unwrap().push(message.body().clone()));
    let mut fence = consume(&bus, "fence").await;
    consumer.pause();
    bus.send("a", &1).unwrap();
    let waiting = bus.request("a", &2);
    bus.send("fence", "all of them are there").unwrap();
    next(&mut fence).await;
    let ended = consumer.unregister();
    assert!(!consumer.is_registered());
    let bodies: Vec<_> =
        seen.lock().unwrap().iter().map(|body| body.as_json().to_owned()).collect();
    assert_eq!(bodies, ["1", "2"]);
    let error = soon(waiting).await.unwrap_err();
    assert!(error.message().unwrap().starts_with("Discarded the request"), "{error}");
    assert!(soon(consumer.next()).await.is_none());
    soon(ended).await.unwrap();
    let error = soon(bus.request("a", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
}

pub(crate) async fn unregistering_twice_is_harmless<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let mut other = consume(&bus, "a").await;
    let (first, second) = (consumer.unregister(), consumer.unregister());
    soon(second).await.unwrap();
    soon(first).await.unwrap();
    assert!(!consumer.is_registered() && other.is_registered());
    assert_eq!(consumer.address().as_str(), "a");
    bus.publish("a", "x").unwrap();
    next(&mut other).await;
    assert!(consumer.next().await.is_none());
}

pub(crate) async fn dropping_unregisters<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let consumer = consume(&bus, "a").await;
    drop(consumer);
    let error = soon(bus.request("a", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
}

pub(crate) async fn one_address_may_be_left_one_by_one<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(consume(&bus, "a").await);
    }
    bus.publish("a", &1).unwrap();
    for consumer in &mut consumers {
        assert_eq!(bodies(consumer, 1).await, ["1"]);
    }
    soon(consumers.remove(1).unregister()).await.unwrap();
    bus.publish("a", &2).unwrap();
    for consumer in &mut consumers {
        assert_eq!(bodies(consumer, 1).await, ["2"]);
    }
}
