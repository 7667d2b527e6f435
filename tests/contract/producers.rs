//! Senders and publishers.

use trolleybus::{BusMessage, BusProducer, DeliveryOptions, ErrorKind, EventBus};

use crate::subject::{Subject, consume, next};
use crate::support::soon;

macro_rules! producers {
    ($subject:ty) => {
        run!($subject, producers:
            writes_arrive
            writes_to_nobody_fail
            options_of_one_write_replace_the_producers
        );
    };
}

pub(crate) async fn writes_arrive<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let (sender, publisher) = (bus.sender("a"), bus.publisher("a"));
    assert_eq!(sender.address().as_str(), "a");
    let mut first = consume(&subject.party().await, "a").await;
    let mut second = consume(&subject.party().await, "a").await;
    for _ in 0..2 {
        soon(sender.write("sent")).await.unwrap();
    }
    soon(publisher.write("published")).await.unwrap();
    for consumer in [&mut first, &mut second] {
        assert_eq!(next(consumer).await.body().as_json(), "\"sent\"");
        assert_eq!(next(consumer).await.body().as_json(), "\"published\"");
    }
}

pub(crate) async fn writes_to_nobody_fail<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    for producer in [bus.sender("nobody"), bus.publisher("nobody")] {
        let error = soon(producer.write("x")).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NoHandlers, -1));
    }
}

pub(crate) async fn options_of_one_write_replace_the_producers<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let with = |value| DeliveryOptions::new().header("key", value).unwrap();
    let sender = bus.sender_with("a", with("usual"));
    assert_eq!(sender.options(), &with("usual"));
    soon(sender.write("x")).await.unwrap();
    soon(sender.write_with("x", with("once"))).await.unwrap();
    soon(sender.write("x")).await.unwrap();
    for value in ["usual", "once", "usual"] {
        assert_eq!(next(&mut consumer).await.headers().get("key"), Some(value));
    }
}
