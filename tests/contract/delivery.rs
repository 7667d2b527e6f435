//! Send and publish: who gets what, and in which order.

use trolleybus::{Body, BusMessage, DeliveryOptions, ErrorKind, EventBus};

use crate::subject::{Subject, bodies, consume, next};

macro_rules! delivery {
    ($subject:ty) => {
        run!($subject, delivery:
            publish_reaches_all
            sends_are_shared_in_equal_parts
            one_senders_messages_keep_their_order
            bodies_arrive_as_they_were_written
            headers_may_have_several_values
            nobody_there_is_no_error
            addresses_are_plain_text
            messages_that_want_no_reply_take_replies_in_silence
            typed_bodies_say_what_does_not_fit
            messages_bound_to_a_side_reach_its_own_consumers
        );
    };
}

pub(crate) async fn publish_reaches_all<S: Subject>(subject: &S) {
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(consume(&subject.party().await, "news").await);
    }
    subject.party().await.publish("news", "goal").unwrap();
    for consumer in &mut consumers {
        let message = next(consumer).await;
        assert_eq!((message.address().as_str(), message.body().as_json()), ("news", "\"goal\""));
        assert!(message.reply_address().is_none() && message.pattern().is_none());
    }
}

pub(crate) async fn sends_are_shared_in_equal_parts<S: Subject>(subject: &S) {
    let mut consumers = Vec::new();
    for _ in 0..4 {
        consumers.push(consume(&subject.party().await, "work").await);
    }
    let sender = subject.party().await;
    for number in 0..40 {
        sender.send("work", &number).unwrap();
    }
    // Behind them, so that whoever got more than its part is seen.
    sender.publish("work", "end").unwrap();
    for consumer in &mut consumers {
        assert_eq!(bodies(consumer, 11).await[10], "\"end\"");
    }
}

pub(crate) async fn one_senders_messages_keep_their_order<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let sender = subject.party().await;
    for number in 0..500 {
        match number % 2 {
            0 => sender.send("a", &number).unwrap(),
            _ => sender.publish("a", &number).unwrap(),
        }
    }
    let expected: Vec<_> = (0..500).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&mut consumer, 500).await, expected);
}

pub(crate) async fn bodies_arrive_as_they_were_written<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let sender = subject.party().await;
    for text in [
        "null",
        "true",
        "false",
        "\"\"",
        "\"text \\u00e4 ☃ 🚋\"",
        "0",
        "-1.50",
        "123456789012345678901234567890",
        "[]",
        "[1,[2,[3]]]",
        "{}",
        r#"{"nested":{"object":{"list":[1,null,"x"]}}}"#,
    ] {
        sender.send("a", Body::from_json(text).unwrap()).unwrap();
        sender.publish("a", Body::from_json(text).unwrap()).unwrap();
        assert_eq!(bodies(&mut consumer, 2).await, [text, text]);
    }
}

pub(crate) async fn headers_may_have_several_values<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let sender = subject.party().await;
    let options = DeliveryOptions::new().header("Key", "value").unwrap();
    sender.send_with("a", "x", options).unwrap();
    let message = next(&mut consumer).await;
    assert_eq!(message.headers().get("KEY"), Some("value"));
    sender.publish("a", "x").unwrap();
    assert!(next(&mut consumer).await.headers().is_empty());
    assert_eq!(
        DeliveryOptions::new().header("two\nlines", "x").unwrap_err().kind(),
        ErrorKind::Headers
    );
    let reply = sender.request("a", "x");
    let options = DeliveryOptions::new().header("k", "1").unwrap().header("K", "2").unwrap();
    next(&mut consumer).await.reply_with("x", options).unwrap();
    let reply = crate::support::soon(reply).await.unwrap();
    assert!(reply.headers().get("k").is_some());
}

pub(crate) async fn nobody_there_is_no_error<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    bus.send("nobody", "x").unwrap();
    bus.publish("nobody", "x").unwrap();
}

pub(crate) async fn addresses_are_plain_text<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    for address in ["", " ", "a.*", "#", "news/+", "☃", "a\"b\\c"] {
        let mut consumer = consume(&bus, address).await;
        bus.publish("a.b", "other").unwrap();
        bus.publish("news/x", "other").unwrap();
        bus.publish(address, "mine").unwrap();
        assert_eq!(next(&mut consumer).await.body().as_json(), "\"mine\"", "{address}");
    }
}

pub(crate) async fn messages_that_want_no_reply_take_replies_in_silence<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    bus.send("a", "x").unwrap();
    bus.publish("a", "x").unwrap();
    for _ in 0..2 {
        let message = next(&mut consumer).await;
        message.reply("x").unwrap();
        message.fail(1, "x").unwrap();
        assert_eq!(message.reply_and_request("x").await.unwrap_err().kind(), ErrorKind::Closed);
    }
}

pub(crate) async fn typed_bodies_say_what_does_not_fit<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "points").await;
    bus.send("points", &vec![(1, 2), (3, 4)]).unwrap();
    let message = next(&mut consumer).await;
    assert_eq!(message.body_as::<Vec<(u8, u8)>>().unwrap(), [(1, 2), (3, 4)]);
    let error = message.body_as::<Vec<(u8, bool)>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    let text = error.message().unwrap();
    for part in ["\"points\"", "Vec<(u8, bool)>", "[0][1]"] {
        assert!(text.contains(part), "{text}");
    }
}

pub(crate) async fn messages_bound_to_a_side_reach_its_own_consumers<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut local = bus.local_consumer("a");
    bus.publish_with("a", &1, DeliveryOptions::new().local_only()).unwrap();
    bus.send_with("a", &2, DeliveryOptions::new().local_only()).unwrap();
    bus.publish("a", &3).unwrap();
    assert_eq!(bodies(&mut local, 3).await, ["1", "2", "3"]);
    let answer = bus.request_with("a", &4, DeliveryOptions::new().local_only());
    next(&mut local).await.reply(&5).unwrap();
    assert_eq!(crate::support::soon(answer).await.unwrap().body().as_json(), "5");
}
