//! The token: asked for, shown first, renewed, turned down.

use trolleybus_protocol::codes::Refusal;

use super::*;

const MINUTE: u64 = 60_000;

/// Asks for a token; over a WebSocket only, delays are not spread.
fn rig() -> Rig {
    let options = plain().transports([Transport::WebSocket]);
    Rig::with(options.token_provider(|| async { Ok::<_, Error>(String::new()) }))
}

/// Open with the token `one`, which has `valid_for` left, and all of the greeting sent.
fn open(valid_for: Option<u64>) -> Rig {
    let mut rig = rig();
    rig.give("one", valid_for);
    rig.accept();
    rig.sent();
    rig.states();
    rig
}

fn authenticate(token: &str) -> String {
    format!(r#"{{"type":"authenticate","body":"{token}"}}"#)
}

impl Rig {
    /// Answers the question for a token, which must have been put; closes before it are skipped.
    fn give(&mut self, token: &str, valid_for: Option<u64>) {
        self.asked();
        self.core.handle_token(self.now, Ok(token), valid_for);
    }

    fn asked(&mut self) {
        loop {
            match self.action() {
                Some(Action::FetchToken) => return,
                Some(Action::Close { .. }) => {}
                other => panic!("no question for a token but {other:?}"),
            }
        }
    }

    fn refuse_by_close(&mut self, code: u16, reason: &str) {
        self.frame(&format!(r#"c[{code},"{reason}"]"#));
    }
}

#[test]
fn token_is_asked_for_before_each_attempt_and_shown_before_all_else() {
    let mut rig = rig();
    rig.consumer("a");
    rig.publish("b").unwrap();
    for token in ["one", "two"] {
        rig.asked();
        assert_eq!(rig.action(), None);
        rig.core.handle_token(rig.now, Ok(token), None);
        let (_, _, url) = rig.opening();
        assert!(!url.contains(token), "{url}");
        rig.frame("o");
        let sent = rig.sent();
        let expected = [authenticate(token), PING.to_owned(), register("a")];
        assert_eq!(sent[..3], expected);
        rig.lose();
        rig.pass_to_timeout();
    }
}

#[test]
fn empty_token_is_none() {
    let mut rig = rig();
    rig.give("", None);
    rig.accept();
    assert_eq!(rig.sent(), [PING]);
}

#[test]
fn attempt_without_a_token_fails_and_the_next_asks_again() {
    let mut rig = rig();
    rig.asked();
    rig.core.handle_token(rig.now, Err("the issuer is away"), None);
    assert_eq!(rig.core.last_close(), (2000, "the issuer is away"));
    assert_eq!(rig.pass_to_timeout(), 500);
    rig.asked();
    assert_eq!(rig.pass_to_timeout(), 30_000);
    assert!(matches!(rig.core.state(), State::Waiting { attempt: 2, .. }));
    rig.pass_to_timeout();
    rig.give("one", None);
    rig.accept();
}

#[test]
fn token_that_comes_too_late_for_an_attempt_is_shown_when_open() {
    let mut rig = rig();
    rig.asked();
    rig.pass(30_000);
    rig.core.handle_token(rig.now, Ok("late"), None);
    rig.pass_to_timeout();
    rig.give("late", None);
    rig.accept();
    assert_eq!(rig.sent(), [authenticate("late"), PING.to_owned()]);
}

#[test]
fn token_is_renewed_on_the_open_connection_a_minute_before_its_end() {
    let mut rig = open(Some(60 * MINUTE));
    rig.pass(59 * MINUTE - 1);
    rig.sent();
    assert_eq!(rig.action(), None);
    rig.pass(1);
    rig.give("two", Some(10 * MINUTE));
    assert_eq!(rig.sent().last().unwrap(), &authenticate("two"));
    assert!(rig.core.state().is_open());
    rig.pass(9 * MINUTE);
    rig.give("three", None);
    rig.pass(1000 * MINUTE);
    rig.sent();
    assert_eq!(rig.action(), None);
}

#[test]
fn short_token_is_renewed_in_the_last_tenth_of_its_life() {
    let mut rig = open(Some(10_000));
    rig.pass(8999);
    rig.sent();
    rig.pass(1);
    rig.asked();
}

#[test]
fn same_token_again_is_not_shown_again() {
    let mut rig = open(Some(10_000));
    rig.pass(9000);
    rig.give("one", Some(1000));
    assert!(rig.sent().iter().all(|envelope| envelope == PING));
    rig.pass(1000);
    rig.sent();
    assert_eq!(rig.action(), None);
}

#[test]
fn renewal_that_fails_is_reported_and_leaves_the_connection() {
    let mut rig = open(Some(10_000));
    rig.pass(9000);
    rig.asked();
    rig.core.handle_token(rig.now, Err("away"), None);
    assert!(rig.core.state().is_open());
    assert!(matches!(&rig.events()[..], [Event::Error(error)] if error.message() == Some("away")));
}

#[test]
fn expired_token_is_replaced_without_delay_once() {
    let mut rig = open(None);
    rig.refuse_by_close(3002, "Token expired");
    assert_eq!(rig.states(), [State::Connecting]);
    assert_eq!(rig.core.last_close(), (3002, "Token expired"));
    rig.give("two", None);
    rig.accept();
    assert_eq!(rig.sent()[0], authenticate("two"));
    rig.refuse_by_close(3002, "Token expired");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
    assert_eq!(rig.pass_to_timeout(), 500);
    rig.give("three", None);
    rig.accept();
    rig.pass(5000);
    rig.refuse_by_close(3002, "Token expired");
    assert_eq!(rig.core.state(), &State::Connecting);
}

#[test]
fn refusal_for_an_expired_token_counts_as_a_close() {
    let mut rig = open(None);
    let request = rig.request("a");
    rig.sent();
    let address = rig.reply_address(request);
    let refusal = format!(r#"{{"type":"err","body":"token_expired","address":"{address}"}}"#);
    rig.receive(&refusal);
    assert!(matches!(rig.replies()[..], [(id, Err(ErrorKind::Refused(_)))] if id == request));
    assert_eq!(rig.core.state(), &State::Connecting);
    rig.give("two", None);
    rig.accept();
    assert_eq!(rig.sent()[0], authenticate("two"));
}

#[test]
fn so_it_does_where_envelopes_are_read_elsewhere() {
    let mut rig = open(None);
    rig.core.handle_error(rig.now, "", Error::refused(Refusal::TokenExpired));
    assert_eq!(rig.core.state(), &State::Connecting);
}

#[test]
fn bad_token_is_replaced_once_and_then_is_the_end() {
    let mut rig = open(None);
    rig.refuse_by_close(3003, "Unauthorized");
    rig.give("two", None);
    rig.accept();
    rig.refuse_by_close(3003, "Unauthorized");
    assert!(matches!(rig.core.state(), State::Closed { code: 3003, .. }));
}

#[test]
fn without_a_provider_3003_is_the_end_and_3002_a_loss() {
    let mut rig = Rig::open();
    rig.refuse_by_close(3003, "Unauthorized");
    assert!(matches!(rig.core.state(), State::Closed { code: 3003, .. }));
    let mut rig = Rig::open();
    rig.refuse_by_close(3002, "Token expired");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn token_is_in_no_debug_text_of_the_machine() {
    let mut rig = open(None);
    rig.core.handle_token(rig.now, Ok("secret"), None);
    assert!(!format!("{:?}", rig.core).contains("secret"));
}
