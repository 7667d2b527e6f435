//! What users of Vert.x's bus rely on, at the lowest layer that can show it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::FutureExt as _;
use trolleybus_protocol::{
    Address, Body, BusConsumer as _, BusMessage as _, DeliveryOptions, ErrorKind, EventBus as _,
    Headers,
};

use super::{Bus, Consumer, Delivery, Dispatch, Handler, Message};

fn bodies(consumer: &mut Consumer) -> Vec<String> {
    let mut bodies = Vec::new();
    // Outside tokio's budget, which would say `Pending` after 128 messages.
    while let Some(Some(message)) = tokio::task::unconstrained(consumer.recv()).now_or_never() {
        bodies.push(message.body().as_json().to_owned());
    }
    bodies
}

fn within(milliseconds: u64) -> DeliveryOptions {
    DeliveryOptions::new().timeout(Duration::from_millis(milliseconds))
}

#[tokio::test]
async fn publish_reaches_all_and_send_reaches_each_in_turn() {
    let bus = Bus::new();
    let mut consumers: Vec<_> = (0..10).map(|_| bus.consumer("a")).collect();
    bus.publish("a", "p").unwrap();
    for number in 0..1000 {
        bus.send("a", &number).unwrap();
    }
    for consumer in &mut consumers {
        let bodies = bodies(consumer);
        assert_eq!((bodies.len(), bodies[0].as_str()), (100 + 1, "\"p\""));
        assert!(bodies[1..].is_sorted_by_key(|body| body.parse::<u32>().unwrap()));
    }
}

#[tokio::test]
async fn sending_to_nobody_is_silent_and_requesting_fails_at_once() {
    let bus = Bus::new();
    bus.publish("nobody", "x").unwrap();
    bus.send("nobody", "x").unwrap();
    let error = bus.request("nobody", "x").now_or_never().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NoHandlers, -1));
    assert_eq!(error.message(), Some("No handlers for address nobody"));
}

#[tokio::test]
async fn replies_chain_and_only_the_first_counts() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let response = bus.request("a", "one");
    let request = consumer.recv().await.unwrap();
    assert!(request.is_send());
    let second = request.reply_and_request("two");
    request.reply("too late").unwrap();
    let reply = response.await.unwrap();
    assert_eq!(reply.body().as_json(), "\"two\"");
    assert!(request.reply_address() == Some(reply.address()));
    reply.fail(7, "enough").unwrap();
    let error = second.await.unwrap_err();
    let facts = (error.kind(), error.code(), error.message());
    assert_eq!(facts, (ErrorKind::RecipientFailure, 7, Some("enough")));
}

#[tokio::test]
async fn a_request_may_wait_for_ever() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let response = bus.request_with("a", "x", DeliveryOptions::new().timeout(Duration::MAX));
    consumer.recv().await.unwrap().reply("y").unwrap();
    assert_eq!(response.await.unwrap().body().as_json(), "\"y\"");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_kept_unanswered_times_out() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let response = bus.request_with("a", "x", within(50));
    let kept = consumer.recv().await.unwrap();
    let error = response.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.message().unwrap();
    assert!(
        text.starts_with("Timed out after waiting 50(ms) for a reply. address: __vertx.reply.")
    );
    assert!(text.ends_with(", repliedAddress: a"), "{text}");
    kept.reply("nobody waits").unwrap();
}

#[tokio::test]
async fn a_request_that_nobody_can_answer_any_more_fails_at_once() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let (dropped, queued) = (bus.request("a", "1"), bus.request("a", "2"));
    drop(consumer.recv().await);
    assert_eq!(dropped.await.unwrap_err().kind(), ErrorKind::Timeout);
    consumer.unregister();
    let error = queued.now_or_never().unwrap().unwrap_err();
    assert!(error.message().unwrap().starts_with("Discarded the request. address: __vertx.reply."));
    assert_eq!(bus.stats().registrations, 0);
}

#[tokio::test]
async fn a_full_buffer_discards_the_newest_and_tells_the_requester() {
    let bus = Bus::new();
    let mut consumer = bus.consumer_with_buffer("a", 2);
    for number in 1..=3 {
        bus.send("a", &number).unwrap();
    }
    let error = bus.request("a", &4).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(bodies(&mut consumer), ["1", "2"]);
    assert_eq!(bus.stats().discarded, 2);
}

#[tokio::test]
async fn the_same_address_may_be_consumed_often_and_left_one_by_one() {
    let bus = Bus::new();
    let (mut first, second) = (bus.consumer("a"), bus.consumer("a"));
    drop(second);
    bus.send("a", &1).unwrap();
    bus.publish("a", &2).unwrap();
    assert_eq!(bodies(&mut first), ["1", "2"]);
    assert_eq!(bus.stats().registrations, 1);
}

#[tokio::test]
async fn a_panicking_consumer_fails_its_request_and_goes_on() {
    let bus = Bus::new();
    let task = bus.consumer_fn("a", |message| async move {
        assert!(!message.body().is_null(), "null is too much for this consumer");
        message.reply(message.body().clone()).unwrap();
    });
    let error = bus.request("a", Body::null()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(bus.request("a", "x").await.unwrap().body().as_json(), "\"x\"");
    bus.close();
    task.await.unwrap();
}

#[tokio::test]
async fn headers_travel_and_late_changes_do_not() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let mut headers = Headers::new();
    headers.append("Key", "1").unwrap();
    let options = DeliveryOptions { headers: headers.clone(), ..Default::default() };
    bus.send_with("a", "x", options).unwrap();
    headers.append("key", "2").unwrap();
    let message = consumer.recv().await.unwrap();
    assert_eq!(message.headers().get_all("KEY").collect::<Vec<_>>(), ["1"]);
}

#[tokio::test]
async fn replying_where_no_reply_is_wanted_is_harmless() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    bus.publish("a", "x").unwrap();
    let message = consumer.recv().await.unwrap();
    assert!(!message.is_send() && message.reply_address().is_none());
    message.reply("x").unwrap();
    message.fail(1, "x").unwrap();
    assert_eq!(message.reply_and_request("x").await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_closed_bus_ends_its_consumers_and_takes_nothing() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    bus.close();
    assert!(consumer.recv().await.is_none());
    assert_eq!(bus.publish("a", "x").unwrap_err().kind(), ErrorKind::Closed);
    assert!(bus.consumer("b").recv().await.is_none());
    drop(consumer);
    assert_eq!(bus.stats().registrations, 0);
}

#[tokio::test]
async fn reply_addresses_cannot_be_counted_up() {
    let bus = Bus::new();
    let mut consumer = bus.consumer("a");
    let _responses: Vec<_> = (0..2).map(|_| bus.request("a", "x")).collect();
    let (first, second) = (consumer.recv().await.unwrap(), consumer.recv().await.unwrap());
    let number = |message: &super::Message| {
        let address = message.reply_address().unwrap().as_str().to_owned();
        u64::from_str_radix(address.strip_prefix("__vertx.reply.").unwrap(), 16).unwrap()
    };
    assert!(number(&first).abs_diff(number(&second)) > 1 << 20);
}

#[tokio::test]
async fn senders_on_many_threads_lose_nothing() {
    let bus = Bus::new();
    let mut consumer = bus.consumer_with_buffer("a", 10_000);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let bus = bus.clone();
            std::thread::spawn(move || (0..1000).for_each(|n| bus.send("a", &n).unwrap()))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(bodies(&mut consumer).len(), 4000);
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl Handler for Counting {
    fn deliver(&self, _: &Message) -> Delivery {
        self.0.fetch_add(1, Relaxed);
        Delivery::Taken
    }
}

#[test]
fn addresses_that_come_and_go_on_several_threads_lose_no_registration() {
    let bus = Bus::new();
    let addresses = ["a", "b"].map(Address::from);
    let come_and_go = || {
        for address in addresses.iter().cycle().take(4000) {
            let handler = Arc::<Counting>::default();
            let registration = bus.register(address, handler.clone());
            let message = || Dispatch::new(address.clone(), Body::null(), Headers::new());
            assert!(bus.publish_message(message()) > 0);
            assert!(handler.0.load(Relaxed) > 0, "it missed what was published to it");
            assert!(bus.send_message(message()));
            drop(registration);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(come_and_go))));
    assert_eq!((bus.stats().registrations, bus.addresses(None, 1).len()), (0, 0));
}
