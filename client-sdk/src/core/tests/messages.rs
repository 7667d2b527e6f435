//! Replies to the server's messages, and errors that belong to none.

use trolleybus_protocol::codes::Refusal;

use super::super::Origin;
use super::*;

fn origin(rig: &Rig) -> Origin {
    Origin::Link(rig.core.link)
}

#[test]
fn reply_goes_to_the_reply_address() {
    let mut rig = Rig::open();
    let origin = origin(&rig);
    let body = Body::from_json("1.10").unwrap();
    rig.core.reply(origin, &"r".into(), body, DeliveryOptions::default()).unwrap();
    assert_eq!(rig.sent(), [r#"{"type":"send","address":"r","body":1.10}"#]);
}

#[test]
fn failure_carries_code_and_text() {
    let mut rig = Rig::open();
    let origin = origin(&rig);
    rig.core.refuse(origin, &"r".into(), 7, "no").unwrap();
    let expected = r#"{"type":"send","address":"r","failureCode":7,"message":"no"}"#;
    assert_eq!(rig.sent(), [expected]);
}

#[test]
fn reply_can_ask_for_a_reply() {
    let mut rig = Rig::open();
    let origin = origin(&rig);
    let options = DeliveryOptions::default();
    let request =
        rig.core.reply_and_request(rig.now, origin, &"r".into(), Body::null(), options).unwrap();
    let back = rig.reply_address(request);
    assert!(rig.sent()[0].contains(&format!(r#""replyAddress":"{back}""#)));
    rig.receive(&format!(r#"{{"type":"rec","address":"{back}","body":2}}"#));
    assert_eq!(rig.replies(), [(request, Ok("2".to_owned()))]);
}

#[test]
fn message_of_an_earlier_connection_has_no_way_back() {
    let mut rig = Rig::open();
    let origin = origin(&rig);
    rig.lose();
    let to = Address::from("r");
    let options = DeliveryOptions::default();
    let error = rig.core.reply(origin, &to, Body::null(), options.clone());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.core.refuse(origin, &to, 1, "").unwrap_err().kind(), ErrorKind::Closed);
    let error = rig.core.reply_and_request(rig.now, origin, &to, Body::null(), options);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn replies_not_sent_yet_go_with_their_connection() {
    let mut rig = Rig::open();
    let origin = origin(&rig);
    let options = DeliveryOptions::default();
    rig.core.reply(origin, &"r".into(), Body::null(), options).unwrap();
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING]);
}

#[test]
fn refusals_without_address_reach_the_application() {
    let mut rig = Rig::open();
    let expected = Error::refused(Refusal::AccessDenied);
    rig.receive(&trolleybus_protocol::envelope::refusal_to_json(Refusal::AccessDenied, None));
    assert_eq!(rig.events(), [Event::Error(expected)]);
}

#[test]
fn envelopes_of_other_kinds_are_passed_on() {
    let mut rig = Rig::open();
    for text in [r#"{"event":"x","message":1}"#, "nonsense"] {
        rig.receive(text);
        let [Event::Unhandled(passed)] = &rig.events()[..] else {
            panic!("not passed on");
        };
        assert_eq!(&**passed, text);
    }
}

#[test]
fn headers_come_along() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.receive(r#"{"type":"rec","address":"a","body":1,"headers":{"k":["1","2"]}}"#);
    let Some(Event::Message { message, .. }) = rig.core.poll_event() else {
        panic!("no message");
    };
    assert_eq!(message.headers.get_all("K").collect::<Vec<_>>(), ["1", "2"]);
}
