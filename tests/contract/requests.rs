//! Requests, replies, failures, and what happens when nobody answers.

use std::time::Duration;

use trolleybus::{BusMessage, DeliveryOptions, ErrorKind, EventBus};

use crate::subject::{Subject, consume, next};
use crate::support::soon;

macro_rules! requests {
    ($subject:ty) => {
        run!($subject, requests:
            replies_come_back
            only_the_first_reply_counts
            replies_may_be_requests
            recipients_fail_requests_with_their_own_words
            the_second_leg_may_fail_or_time_out
            nobody_there_fails_at_once
            no_answer_is_a_timeout
            a_late_reply_vanishes
            giving_an_answer_up_harms_nobody
        );
    };
}

fn within(milliseconds: u64) -> DeliveryOptions {
    DeliveryOptions::new().timeout(Duration::from_millis(milliseconds))
}

pub(crate) async fn replies_come_back<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let asking = subject.party().await;
    let answer = asking.request("a", "question");
    let request = next(&mut consumer).await;
    assert!(request.reply_address().is_some());
    assert_eq!(request.body().as_json(), "\"question\"");
    request.reply("answer").unwrap();
    let reply = soon(answer).await.unwrap();
    assert_eq!(reply.body().as_json(), "\"answer\"");
    assert!(reply.reply_address().is_none());
}

pub(crate) async fn only_the_first_reply_counts<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let answer = bus.request("a", "x");
    let request = next(&mut consumer).await;
    request.reply(&1).unwrap();
    let _ = request.reply(&2);
    let _ = request.fail(1, "x");
    assert_eq!(soon(answer).await.unwrap().body().as_json(), "1");
}

pub(crate) async fn replies_may_be_requests<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let asking = subject.party().await;
    let first = asking.request("a", &1);
    let second = next(&mut consumer).await.reply_and_request(&2);
    let reply = soon(first).await.unwrap();
    assert_eq!(reply.body().as_json(), "2");
    let third = reply.reply_and_request(&3);
    let reply = soon(second).await.unwrap();
    assert_eq!(reply.body().as_json(), "3");
    reply.reply(&4).unwrap();
    assert_eq!(soon(third).await.unwrap().body().as_json(), "4");
}

pub(crate) async fn recipients_fail_requests_with_their_own_words<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let asking = subject.party().await;
    for (code, text) in [(7, "enough"), (0, ""), (i32::MIN, "☃ \"quoted\"")] {
        let answer = asking.request("a", "x");
        next(&mut consumer).await.fail(code, text).unwrap();
        let error = soon(answer).await.unwrap_err();
        let facts = (error.kind(), error.code(), error.message());
        assert_eq!(facts, (ErrorKind::RecipientFailure, code, Some(text)));
    }
}

pub(crate) async fn the_second_leg_may_fail_or_time_out<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let asking = subject.party().await;
    let first = asking.request("a", "x");
    let second = next(&mut consumer).await.reply_and_request("y");
    soon(first).await.unwrap().fail(3, "no").unwrap();
    let error = soon(second).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::RecipientFailure, 3));

    let first = asking.request("a", "x");
    let second = next(&mut consumer).await.reply_and_request_with("y", within(50));
    let unanswered = soon(first).await.unwrap();
    assert_eq!(soon(second).await.unwrap_err().kind(), ErrorKind::Timeout);
    drop(unanswered);
}

pub(crate) async fn nobody_there_fails_at_once<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let error = soon(bus.request("nobody", "x")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NoHandlers, -1));
    assert_eq!(error.message(), Some("No handlers for address nobody"));
}

pub(crate) async fn no_answer_is_a_timeout<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let answer = subject.party().await.request_with("a", "x", within(50));
    let kept = next(&mut consumer).await;
    let error = soon(answer).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Timeout, -1));
    drop(kept);
}

pub(crate) async fn a_late_reply_vanishes<S: Subject>(subject: &S) {
    let mut consumer = consume(&subject.party().await, "a").await;
    let asking = subject.party().await;
    let answer = asking.request_with("a", &1, within(50));
    let late = next(&mut consumer).await;
    soon(answer).await.unwrap_err();
    let _ = late.reply("late");
    let answer = asking.request("a", &2);
    next(&mut consumer).await.reply("in time").unwrap();
    assert_eq!(soon(answer).await.unwrap().body().as_json(), "\"in time\"");
}

pub(crate) async fn giving_an_answer_up_harms_nobody<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    drop(bus.request("a", &1));
    let answer = bus.request("a", &2);
    loop {
        // The first may have been taken back before it left.
        let request = next(&mut consumer).await;
        let is_second = request.body().as_json() == "2";
        request.reply(&3).unwrap();
        if is_second {
            break;
        }
    }
    assert_eq!(soon(answer).await.unwrap().body().as_json(), "3");
}
