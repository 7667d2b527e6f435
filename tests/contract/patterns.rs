//! Consumers of patterns.

use futures_util::StreamExt;
use trolleybus::{BusConsumer, BusMessage, ConsumerOptions, ErrorKind, EventBus};

use crate::subject::{Subject, bodies, consume, consume_with, next};
use crate::support::soon;

macro_rules! patterns {
    ($subject:ty) => {
        run!($subject, patterns:
            a_pattern_gets_what_it_means_and_nothing_else
            messages_tell_their_pattern_and_their_real_address
            sends_go_round_over_addresses_and_patterns
            requests_through_a_pattern_are_answered
            a_pattern_ends_with_its_consumer
            text_that_is_no_pattern_is_refused
        );
    };
}

fn pattern() -> ConsumerOptions {
    ConsumerOptions::new().pattern()
}

pub(crate) async fn a_pattern_gets_what_it_means_and_nothing_else<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let publisher = subject.party().await;
    for (text, meant, other) in [
        ("news.*.sport", ["news.eu.sport", "news.us.sport"], "news.sport"),
        ("news.>", ["news.eu", "news.eu.sport"], "news"),
        ("logs.#", ["logs", "logs.a.b"], "log"),
        ("home/+/light", ["home/hall/light", "home//light"], "home/light"),
        ("home/#", ["home", "home/a/b"], "homes"),
    ] {
        let mut consumer = consume_with(&bus, text, pattern()).await;
        publisher.publish(other, "not meant").unwrap();
        for address in meant {
            publisher.publish(address, address).unwrap();
        }
        let expected = meant.map(|address| format!("\"{address}\""));
        assert_eq!(bodies(&mut consumer, 2).await, expected, "{text}");
        soon(consumer.unregister()).await.unwrap();
    }
}

pub(crate) async fn messages_tell_their_pattern_and_their_real_address<S: Subject>(subject: &S) {
    let mut exact = consume(&subject.party().await, "a.b").await;
    let mut one = consume_with(&subject.party().await, "a.*", pattern()).await;
    let mut any = consume_with(&subject.party().await, "#", pattern()).await;
    assert_eq!(one.address().as_str(), "a.*");
    subject.party().await.publish("a.b", "x").unwrap();
    for (consumer, through) in [(&mut exact, None), (&mut one, Some("a.*")), (&mut any, Some("#"))]
    {
        let message = next(consumer).await;
        assert_eq!(message.address().as_str(), "a.b");
        assert_eq!(message.pattern().map(trolleybus::Address::as_str), through);
    }
}

pub(crate) async fn sends_go_round_over_addresses_and_patterns<S: Subject>(subject: &S) {
    let mut consumers = [
        consume(&subject.party().await, "a.b").await,
        consume_with(&subject.party().await, "a.*", pattern()).await,
        consume_with(&subject.party().await, "a.*", pattern()).await,
        consume_with(&subject.party().await, "a.>", pattern()).await,
    ];
    let sender = subject.party().await;
    for number in 0..40 {
        sender.send("a.b", &number).unwrap();
    }
    sender.publish("a.b", "end").unwrap();
    for consumer in &mut consumers {
        assert_eq!(bodies(consumer, 11).await[10], "\"end\"");
    }
    // Over addresses that patterns alone mean, each of them has its share as well.
    let [_, mut consumers @ ..] = consumers;
    for number in 0..30 {
        sender.send(format!("a.{}", number % 2), &number).unwrap();
    }
    sender.publish("a.x", "end").unwrap();
    for consumer in &mut consumers {
        assert_eq!(bodies(consumer, 11).await[10], "\"end\"");
    }
}

pub(crate) async fn requests_through_a_pattern_are_answered<S: Subject>(subject: &S) {
    let mut consumer = consume_with(&subject.party().await, "jobs/#", pattern()).await;
    let asking = subject.party().await;
    let answer = asking.request("jobs/paint/wall", "x");
    next(&mut consumer).await.reply("painted").unwrap();
    assert_eq!(soon(answer).await.unwrap().body().as_json(), "\"painted\"");
}

pub(crate) async fn a_pattern_ends_with_its_consumer<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume_with(&bus, "a.*", pattern()).await;
    soon(consumer.unregister()).await.unwrap();
    let error = soon(bus.request("a.b", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
}

pub(crate) async fn text_that_is_no_pattern_is_refused<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    for text in ["news*", ">.a", "#/a"] {
        let mut consumer = bus.consumer_with(text, pattern());
        let error = soon(consumer.completion()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{text}: {error}");
        assert!(!consumer.is_registered());
        assert!(soon(consumer.next()).await.is_none());
    }
}
