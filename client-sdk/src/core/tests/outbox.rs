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
