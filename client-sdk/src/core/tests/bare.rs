//! Envelopes as they are.

use super::*;

#[test]
fn envelopes_are_said_as_they_are() {
    let mut rig = Rig::open();
    let odd = r#"{"type":"odd"}"#;
    rig.core.say(odd.to_owned()).unwrap();
    assert_eq!(rig.sent(), [odd]);
}

#[test]
fn a_reply_that_was_read_elsewhere_ends_its_request() {
    let mut rig = Rig::open();
    let request = rig.request("a");
    let address = rig.reply_address(request);
    assert_eq!(rig.core.handle_reply(&address), Ok(Some(request)));
    // It is ours, and ended.
    assert_eq!(rig.core.handle_reply(&address), Err(true));
    assert_eq!(rig.core.handle_reply("a"), Err(false));
    assert_eq!(rig.core.poll_event(), None);
}

#[test]
fn an_error_that_was_read_elsewhere_is_told() {
    let mut rig = Rig::open();
    let error = Error::no_handlers("a");
    rig.core.handle_error(rig.now, "", error.clone());
    assert_eq!(rig.core.poll_event(), Some(Event::Error(error)));
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
