//! How requests end.

use std::time::Duration;

use super::*;

#[test]
fn reply_ends_its_request_once() {
    let mut rig = Rig::open();
    let request = rig.request("echo");
    let to = rig.reply_address(request);
    assert!(to.len() <= 36);
    let expected =
        format!(r#"{{"type":"send","address":"echo","body":null,"replyAddress":"{to}"}}"#);
    assert_eq!(rig.sent(), [expected]);
    for _ in 0..2 {
        rig.receive(&format!(r#"{{"type":"rec","address":"{to}","body":"hi"}}"#));
    }
    assert_eq!(rig.replies(), [(request, Ok("\"hi\"".to_owned()))]);
}

#[test]
fn failures_are_told_by_kind() {
    let failures = [
        (r#""failureCode":-1,"failureType":"NO_HANDLERS","message":"m""#, ErrorKind::NoHandlers),
        (r#""failureCode":-1,"failureType":"TIMEOUT","message":"m""#, ErrorKind::Timeout),
        (
            r#""failureCode":3,"failureType":"RECIPIENT_FAILURE","message":null"#,
            ErrorKind::RecipientFailure,
        ),
        (
            r#""body":"access_denied""#,
            ErrorKind::Refused(trolleybus_protocol::codes::Refusal::AccessDenied),
        ),
    ];
    for (fields, kind) in failures {
        let mut rig = Rig::open();
        let request = rig.request("a");
        let to = rig.reply_address(request);
        rig.receive(&format!(r#"{{"type":"err","address":"{to}",{fields}}}"#));
        assert_eq!(rig.replies(), [(request, Err(kind))]);
    }
}

#[test]
fn requests_fail_at_once_when_the_connection_goes() {
    let mut rig = Rig::open();
    let request = rig.request("a");
    rig.sent();
    rig.lose();
    assert_eq!(rig.replies(), [(request, Err(ErrorKind::ConnectionLost))]);
}

#[test]
fn request_not_sent_yet_goes_with_the_next_connection() {
    let mut rig = Rig::socket();
    let request = rig.request("a");
    rig.opening();
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    let to = rig.reply_address(request);
    assert!(rig.sent().iter().any(|envelope| envelope.contains(&to)));
    rig.receive(&format!(r#"{{"type":"rec","address":"{to}","body":1}}"#));
    assert_eq!(rig.replies(), [(request, Ok("1".to_owned()))]);
}

#[test]
fn time_ends_a_request_even_without_a_connection() {
    let mut rig = Rig::socket();
    let request = rig.request("a");
    rig.pass(29_999);
    assert_eq!(rig.replies(), []);
    rig.pass(1);
    assert_eq!(rig.replies(), [(request, Err(ErrorKind::Timeout))]);
    rig.core.reconnect(rig.now, None);
    rig.accept();
    assert_eq!(rig.sent(), [PING], "it is not sent any more");
}

#[test]
fn late_replies_and_failures_are_ignored() {
    let mut rig = Rig::open();
    let request = rig.request("a");
    let to = rig.reply_address(request);
    rig.pass(30_000);
    rig.events();
    rig.sent();
    rig.receive(&format!(r#"{{"type":"rec","address":"{to}","body":1}}"#));
    rig.receive(&format!(
        r#"{{"type":"err","address":"{to}","failureCode":-1,"failureType":"TIMEOUT","message":"m"}}"#
    ));
    assert_eq!(rig.events(), []);
}

#[test]
fn own_timeout_is_told_to_the_server() {
    let mut rig = Rig::open();
    let options = DeliveryOptions::default().timeout(Duration::from_millis(250));
    let request = rig.core.request(rig.now, &"a".into(), Body::null(), options);
    assert!(rig.sent()[0].contains(r#""timeout":250"#));
    rig.pass(250);
    assert_eq!(rig.replies(), [(request.unwrap(), Err(ErrorKind::Timeout))]);
}

#[test]
fn close_fails_what_is_pending() {
    let mut rig = Rig::open();
    let sent = rig.request("a");
    rig.sent();
    rig.core.close();
    let ends = rig.replies();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].0, sent);
    let mut rig = Rig::socket();
    let queued = rig.request("a");
    rig.core.close();
    assert_eq!(rig.replies(), [(queued, Err(ErrorKind::Closed))]);
}

#[test]
fn cancelled_request_is_forgotten() {
    let mut rig = Rig::open();
    let request = rig.request("a");
    let to = rig.reply_address(request);
    rig.core.cancel(request);
    rig.receive(&format!(r#"{{"type":"rec","address":"{to}","body":1}}"#));
    rig.pass(30_000);
    assert_eq!(rig.replies(), []);
}
