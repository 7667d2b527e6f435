//! What waits for a connection.

use super::*;

#[test]
fn messages_wait_for_the_connection_and_one_too_many_is_refused() {
    let options = plain().outbox_len(2).transports([Transport::WebSocket]);
    let mut rig = Rig::with(options);
    rig.publish("a").unwrap();
    rig.publish("b").unwrap();
    assert_eq!(rig.publish("c").unwrap_err().kind(), ErrorKind::Overflow);
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), publication("a"), publication("b")]);
    rig.publish("c").unwrap();
}

#[test]
fn refused_request_leaves_nothing_behind() {
    let mut rig = Rig::with(plain().outbox_len(0).transports([Transport::WebSocket]));
    let options = DeliveryOptions::default();
    let error = rig.core.request(rig.now, &"a".into(), Body::null(), options);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Overflow);
    rig.pass(60_000);
    assert_eq!(rig.replies(), []);
}

#[test]
fn messages_not_handed_over_wait_for_the_next_connection() {
    let mut rig = Rig::open();
    rig.publish("handed-over").unwrap();
    assert!(matches!(rig.action(), Some(Action::Send { .. })));
    rig.publish("waiting").unwrap();
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), publication("waiting")]);
}

fn rig(policy: OutboxPolicy) -> Rig {
    Rig::with(plain().outbox_len(2).outbox_policy(policy).transports([Transport::WebSocket]))
}

/// Messages that overflow tells about, by its texts.
fn overflows(rig: &mut Rig) -> Vec<String> {
    let events = rig.events().into_iter();
    let texts = events.filter_map(|event| match event {
        Event::Error(error) if error.kind() == ErrorKind::Overflow => {
            error.message().map(str::to_owned)
        }
        _ => None,
    });
    texts.collect()
}

#[test]
fn oldest_messages_make_way_and_are_reported_once() {
    let mut rig = rig(OutboxPolicy::DropOldest);
    for address in ["a", "b", "c", "d", "e"] {
        rig.publish(address).unwrap();
    }
    let [text] = &overflows(&mut rig)[..] else {
        panic!("not one report");
    };
    assert!(text.starts_with("3 messages "), "{text}");
    assert!(overflows(&mut rig).is_empty());
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), publication("d"), publication("e")]);
}

#[test]
fn oldest_request_that_makes_way_fails_at_once() {
    let mut rig = rig(OutboxPolicy::DropOldest);
    let (first, second) = (rig.request("a"), rig.request("b"));
    rig.publish("c").unwrap();
    assert_eq!(rig.replies(), [(first, Err(ErrorKind::Overflow))]);
    rig.accept();
    let to = rig.reply_address(second);
    let sent = rig.sent();
    assert!(sent.len() == 3 && sent[1].contains(&to), "{sent:?}");
}

#[test]
fn oldest_messages_make_way_by_bytes_too() {
    let options = plain().outbox_bytes(170).outbox_policy(OutboxPolicy::DropOldest);
    let mut rig = Rig::with(options.transports([Transport::WebSocket]));
    let long = "x".repeat(60);
    rig.publish(&long).unwrap();
    rig.publish("short").unwrap();
    rig.publish(&long).unwrap();
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), publication("short"), publication(&long)]);
}

#[test]
fn replies_do_not_make_way() {
    let options = plain().outbox_len(1).outbox_policy(OutboxPolicy::DropOldest);
    let mut rig = Rig::with(options.transports([Transport::WebSocket]));
    let link = rig.accept();
    rig.sent();
    let (origin, to) = (super::super::Origin::Link(link), Address::from("r"));
    rig.core.reply(origin, &to, Body::null(), DeliveryOptions::default()).unwrap();
    assert_eq!(rig.publish("a").unwrap_err().kind(), ErrorKind::Overflow);
    assert!(overflows(&mut rig).is_empty());
}

#[test]
fn who_found_no_room_is_told_when_something_has_left() {
    let mut rig = rig(OutboxPolicy::Wait);
    rig.publish("a").unwrap();
    rig.publish("b").unwrap();
    assert_eq!(rig.publish("c").unwrap_err().kind(), ErrorKind::Overflow);
    assert!(!rig.core.has_room());
    rig.events();
    assert_eq!(rig.core.poll_event(), None);
    rig.accept();
    assert!(!rig.events().contains(&Event::Room), "nothing has left yet");
    rig.sent();
    assert_eq!(rig.events(), [Event::Room]);
    assert!(rig.core.has_room());
    rig.publish("c").unwrap();
    rig.sent();
    assert_eq!(rig.events(), [], "nobody asked");
}

#[test]
fn cancelled_request_that_has_not_left_never_leaves_and_makes_room() {
    let mut rig = rig(OutboxPolicy::Wait);
    let (first, second) = (rig.request("a"), rig.request("b"));
    assert!(!rig.core.has_room());
    rig.events();
    assert!(rig.core.cancel(first));
    assert_eq!(rig.events(), [Event::Room]);
    rig.accept();
    let (sent, to) = (rig.sent(), rig.reply_address(second));
    assert!(sent.len() == 2 && sent[1].contains(&to), "{sent:?}");
    assert!(!rig.core.cancel(second), "it has left");
    rig.pass(60_000);
    assert_eq!(rig.replies(), []);
}

#[test]
fn local_message_that_finds_no_room_is_not_sent_to_the_server_either() {
    let mut rig = Rig::with(plain().outbox_len(1).transports([Transport::WebSocket]));
    rig.local_consumer("a");
    rig.accept();
    rig.sent();
    rig.events();
    rig.publish("a").unwrap();
    rig.sent();
    assert_eq!(rig.publish("a").unwrap_err().kind(), ErrorKind::Overflow);
    assert!(rig.sent().is_empty());
    let events = rig.events();
    assert!(matches!(events[..], [Event::Message { .. }, Event::Room]), "{events:?}");
}
