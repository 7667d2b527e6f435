//! Envelopes as they are.

use super::*;

#[test]
fn envelopes_are_handed_over_and_said_as_they_are() {
    let mut rig = Rig::open();
    rig.core.hand_over();
    for envelope in [r#"{"type":"rec","address":"a","body":1,"more":2}"#, "no envelope"] {
        rig.receive(envelope);
        assert_eq!(rig.core.poll_event(), Some(Event::Unhandled(envelope.to_owned().into())));
    }
    let odd = r#"{"type":"odd"}"#;
    rig.core.say(odd.to_owned()).unwrap();
    assert_eq!(rig.sent(), [odd]);
}

#[test]
fn what_was_said_to_a_lost_connection_is_not_said_to_the_next() {
    let mut rig = Rig::open();
    rig.core.say("{}".to_owned()).unwrap();
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING]);
    rig.core.close();
    assert_eq!(rig.core.say("{}".to_owned()).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn pings_can_be_stopped_and_begun_again() {
    let mut rig = Rig::open();
    let every = |rig: &mut Rig, milliseconds| {
        rig.core.ping_every(rig.now, std::time::Duration::from_millis(milliseconds));
    };
    every(&mut rig, 0);
    rig.pass(60_000);
    assert!(rig.sent().is_empty());
    every(&mut rig, 2000);
    assert_eq!(rig.sent(), [PING]);
    assert_eq!(rig.pass_to_timeout(), 2000);
    assert_eq!(rig.sent(), [PING]);
}
