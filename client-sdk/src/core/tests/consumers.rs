//! Registrations.

use super::*;

#[test]
fn consumers_before_open_are_registered_on_open_behind_the_ping() {
    let mut rig = Rig::socket();
    rig.consumer("b");
    rig.consumer("a");
    rig.consumer("a");
    rig.local_consumer("local");
    rig.publish("a").unwrap();
    rig.accept();
    let expected = [PING.to_owned(), register("a"), register("b"), publication("a")];
    assert_eq!(rig.sent(), expected);
}

#[test]
fn all_are_registered_again_before_the_outbox_is_flushed() {
    let mut rig = Rig::open();
    rig.consumer("news");
    assert_eq!(rig.sent(), [register("news")]);
    rig.lose();
    rig.publish("waiting").unwrap();
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), register("news"), publication("waiting")]);
}

#[test]
fn one_registration_serves_several_consumers() {
    let mut rig = Rig::open();
    let first = rig.consumer("a");
    let second = rig.consumer("a");
    assert_eq!(rig.sent(), [register("a")]);
    rig.receive(r#"{"type":"rec","address":"a","body":1}"#);
    assert_eq!(rig.messages(), [(2, "a".to_owned(), "1".to_owned())]);
    rig.core.unregister(first);
    assert!(rig.sent().is_empty());
    rig.core.unregister(second);
    assert_eq!(rig.sent(), [r#"{"type":"unregister","address":"a"}"#]);
    rig.core.unregister(second);
    assert!(rig.sent().is_empty());
}

#[test]
fn short_lived_consumers_cost_nothing_while_an_upload_is_under_way() {
    let mut rig = Rig::open();
    rig.publish("x").unwrap();
    let Some(Action::Send { link, .. }) = rig.action() else {
        panic!("nothing sent");
    };
    for _ in 0..1000 {
        let consumer = rig.consumer("a");
        rig.core.unregister(consumer);
    }
    rig.core.handle_sent(link);
    assert!(rig.sent().is_empty());
}

#[test]
fn consumers_gone_while_away_are_not_registered_again() {
    let mut rig = Rig::open();
    let consumer = rig.consumer("a");
    rig.sent();
    rig.lose();
    rig.core.unregister(consumer);
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING]);
}

#[test]
fn request_that_nobody_consumes_any_more_is_failed() {
    let mut rig = Rig::open();
    rig.receive(r#"{"type":"rec","address":"gone","body":1,"replyAddress":"r"}"#);
    let sent = rig.sent();
    assert!(sent[0].contains(r#""address":"r","failureCode":-1"#), "{sent:?}");
    rig.receive(r#"{"type":"rec","address":"gone","body":1}"#);
    assert!(rig.sent().is_empty());
}

#[test]
fn messages_of_one_frame_come_in_order() {
    let mut rig = Rig::open();
    rig.consumer("a");
    let envelope = |n: u8| format!(r#"{{"type":"rec","address":"a","body":{n}}}"#);
    rig.frame(&Frame::Messages((0..5).map(envelope).collect()).encode());
    let bodies: Vec<_> = rig.messages().into_iter().map(|(.., body)| body).collect();
    assert_eq!(bodies, ["0", "1", "2", "3", "4"]);
}
