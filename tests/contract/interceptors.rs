//! Interceptors: order, change, drop, fail, and the way back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use trolleybus::{BusMessage, BusProducer, DeliveryOptions, ErrorKind, EventBus, Interception};

use crate::subject::{Subject, bodies, consume, next};
use crate::support::soon;

macro_rules! interceptors {
    ($subject:ty) => {
        run!($subject, interceptors:
            they_run_in_their_order_until_they_are_taken_out
            they_change_what_goes_out
            they_change_what_comes_in
            what_they_drop_on_its_way_out_vanishes
            what_they_fail_on_its_way_out_fails
            what_they_drop_on_its_way_in_vanishes
            what_they_fail_on_its_way_in_fails_the_request
            they_see_replies_and_failures
            they_may_fail_a_reply
        );
    };
}

fn within(milliseconds: u64) -> DeliveryOptions {
    DeliveryOptions::new().timeout(Duration::from_millis(milliseconds))
}

pub(crate) async fn they_run_in_their_order_until_they_are_taken_out<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let log = Arc::new(Mutex::new(String::new()));
    let note = |letter| {
        let log = Arc::clone(&log);
        move |_: &mut _| {
            log.lock().unwrap().push(letter);
            Interception::Continue
        }
    };
    let _last = bus.add_inbound_interceptor(note('d'));
    let first = bus.add_outbound_interceptor(note('a'));
    let middle = bus.add_outbound_interceptor(note('b'));
    let _third = bus.add_outbound_interceptor(note('c'));
    let mut seen = async || {
        bus.send("a", "x").unwrap();
        next(&mut consumer).await;
        std::mem::take(&mut *log.lock().unwrap())
    };
    assert_eq!(seen().await, "abcd");
    drop(middle);
    assert_eq!(seen().await, "acd");
    drop(first);
    assert_eq!(seen().await, "cd");
}

pub(crate) async fn they_change_what_goes_out<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&subject.party().await, "a").await;
    let guard = bus.add_outbound_interceptor(|context| {
        assert!(context.address().as_str() == "a" && context.failure().is_none());
        context.headers_mut().append("trace", "1").unwrap();
        context.set_body(&(context.body().as_json().len())).unwrap();
        Interception::Continue
    });
    bus.publish("a", "four").unwrap();
    let message = next(&mut consumer).await;
    assert_eq!(message.body().as_json(), "6");
    assert_eq!(message.headers().get("trace"), Some("1"));
    drop(guard);
    bus.publish("a", "four").unwrap();
    assert_eq!(bodies(&mut consumer, 1).await, ["\"four\""]);
}

pub(crate) async fn they_change_what_comes_in<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let _guard = bus.add_inbound_interceptor(|context| {
        if context.body().as_json() == "\"question\"" {
            assert!(context.is_send() && context.reply_address().is_some());
            context.set_body("changed").unwrap();
        }
        Interception::Continue
    });
    let answer = subject.party().await.request("a", "question");
    let request = next(&mut consumer).await;
    assert_eq!(request.body().as_json(), "\"changed\"");
    request.reply("answer").unwrap();
    assert_eq!(soon(answer).await.unwrap().body().as_json(), "\"answer\"");
}

pub(crate) async fn what_they_drop_on_its_way_out_vanishes<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let guard = bus.add_outbound_interceptor(|_| Interception::Drop);
    bus.send("a", &1).unwrap();
    bus.publish("a", &2).unwrap();
    soon(bus.sender("a").write(&3)).await.unwrap();
    let error = soon(bus.request_with("a", &4, within(100))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    drop(guard);
    bus.send("a", &5).unwrap();
    assert_eq!(bodies(&mut consumer, 1).await, ["5"]);
}

pub(crate) async fn what_they_fail_on_its_way_out_fails<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let guard = bus.add_outbound_interceptor(|_| Interception::fail(9, "not today"));
    bus.send("a", &1).unwrap();
    bus.publish("a", &2).unwrap();
    let errors = [
        soon(bus.sender("a").write(&3)).await.unwrap_err(),
        soon(bus.publisher("a").write(&3)).await.unwrap_err(),
        soon(bus.request("a", &4)).await.unwrap_err(),
    ];
    for error in errors {
        let facts = (error.kind(), error.code(), error.message());
        assert_eq!(facts, (ErrorKind::RecipientFailure, 9, Some("not today")));
    }
    drop(guard);
    bus.send("a", &5).unwrap();
    assert_eq!(bodies(&mut consumer, 1).await, ["5"]);
}

pub(crate) async fn what_they_drop_on_its_way_in_vanishes<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let _guard = bus.add_inbound_interceptor(|context| match context.body().as_json() {
        "\"secret\"" => Interception::Drop,
        _ => Interception::Continue,
    });
    let other = subject.party().await;
    soon(other.sender("a").write("secret")).await.unwrap();
    // Over a bridge it is the recipient that tells it at once; otherwise the time runs out.
    let error = soon(other.request_with("a", "secret", within(100))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::RecipientFailure), "{error}");
    other.publish("a", "open").unwrap();
    assert_eq!(bodies(&mut consumer, 1).await, ["\"open\""]);
}

pub(crate) async fn what_they_fail_on_its_way_in_fails_the_request<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let _consumer = consume(&bus, "a").await;
    let _guard = bus.add_inbound_interceptor(|context| match context.address().as_str() {
        "a" => Interception::fail(8, "closed on Sundays"),
        _ => Interception::Continue,
    });
    let other = subject.party().await;
    soon(other.sender("a").write("x")).await.unwrap();
    let error = soon(other.request("a", "x")).await.unwrap_err();
    let facts = (error.kind(), error.code(), error.message());
    assert_eq!(facts, (ErrorKind::RecipientFailure, 8, Some("closed on Sundays")));
}

pub(crate) async fn they_see_replies_and_failures<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |word: &'static str| {
        let log = Arc::clone(&log);
        move |context: &mut trolleybus::DeliveryContext| {
            let what = match context.failure() {
                Some(failure) => format!("{word} {}", failure.code()),
                None => format!("{word} {}", context.body().as_json()),
            };
            log.lock().unwrap().push(what);
            Interception::Continue
        }
    };
    let _out = bus.add_outbound_interceptor(note("out"));
    let _in = bus.add_inbound_interceptor(note("in"));
    let answer = bus.request("a", &1);
    next(&mut consumer).await.reply(&2).unwrap();
    soon(answer).await.unwrap();
    let answer = bus.request("a", &3);
    next(&mut consumer).await.fail(4, "x").unwrap();
    soon(answer).await.unwrap_err();
    let seen = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(seen, ["out 1", "in 1", "out 2", "in 2", "out 3", "in 3", "out 4", "in 4"]);
}

pub(crate) async fn they_may_fail_a_reply<S: Subject>(subject: &S) {
    let bus = subject.party().await;
    let mut consumer = consume(&bus, "a").await;
    let _guard = bus.add_outbound_interceptor(|context| match context.body().as_json() {
        "\"bad\"" => Interception::fail(6, "bad words"),
        _ => Interception::Continue,
    });
    let answer = bus.request("a", "good");
    let next_answer = next(&mut consumer).await.reply_and_request("bad");
    for error in [soon(answer).await.unwrap_err(), soon(next_answer).await.unwrap_err()] {
        assert_eq!((error.kind(), error.code()), (ErrorKind::RecipientFailure, 6));
    }
}
