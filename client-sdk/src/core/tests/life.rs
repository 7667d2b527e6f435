//! The page goes and comes back, and so does the network.

use std::time::Duration;

use super::*;

/// What asks the server to say something, without its receipt.
fn is_question(envelope: &str) -> bool {
    envelope.starts_with(r#"{"type":"unregister","#)
}

/// Open, with a consumer whose registration the server has acknowledged.
fn acknowledged() -> Rig {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.receipt(0);
    rig.events();
    rig
}

#[test]
fn page_that_goes_says_what_waits_and_closes_cleanly() {
    let mut rig = Rig::open();
    let request = rig.request("a");
    rig.core.suspend();
    assert!(matches!(rig.action(), Some(Action::Send { .. })));
    assert!(matches!(rig.action(), Some(Action::Close { .. })));
    assert_eq!(rig.action(), None);
    assert_eq!(rig.replies(), [(request, Err(ErrorKind::ConnectionLost))]);
    assert_eq!(rig.core.poll_timeout(), None, "nothing happens while it is away");
    assert_eq!(rig.core.state(), &State::Waiting { attempt: 1, retry_in: Duration::MAX });
}

#[test]
fn page_that_comes_back_connects_at_once_and_has_all_it_had() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.core.suspend();
    rig.publish("meanwhile").unwrap();
    rig.now += 10_000_000;
    rig.core.resume(rig.now);
    rig.polled.clear();
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), register("a"), publication("meanwhile")]);
}

#[test]
fn page_that_goes_while_connecting_opens_nothing_until_it_is_back() {
    let mut rig = Rig::browser();
    rig.info("{}");
    let (link, ..) = rig.opening();
    rig.core.suspend();
    rig.core.handle_frame(rig.now, link, "o");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
    rig.core.resume(rig.now);
    rig.asked_info();
}

#[test]
fn client_that_never_reconnects_ends_with_its_page() {
    let mut rig = Rig::open();
    rig.core.limit_attempts(Some(0));
    rig.core.suspend();
    assert!(matches!(rig.core.state(), State::Closed { code: 1001, .. }));
    rig.core.resume(rig.now);
    assert!(rig.core.state().is_closed());
}

#[test]
fn attempts_while_offline_do_not_count_and_online_connects_at_once() {
    let options = plain().reconnect(Reconnect {
        attempts_max: Some(2),
        randomization: 0.0,
        ..Reconnect::default()
    });
    let mut rig = Rig::with(options.transports([Transport::WebSocket]));
    rig.accept();
    rig.core.handle_offline();
    assert!(rig.core.state().is_open(), "what stands is left alone");
    rig.lose();
    for _ in 0..5 {
        assert_eq!(rig.pass_to_timeout(), 30_000);
        rig.opening();
        rig.lose();
    }
    assert!(!rig.core.state().is_closed());
    rig.core.resume(rig.now);
    rig.accept();
    rig.lose();
    assert_eq!(rig.pass_to_timeout(), 500, "the next wait is the first that counts");
}

#[test]
fn server_that_asked_for_time_gets_it() {
    for code in [1012, 3005, 3006] {
        let mut rig = Rig::open();
        rig.frame(&format!(r#"c[{code},"later"]"#));
        rig.core.resume(rig.now);
        assert!(matches!(rig.core.state(), State::Waiting { .. }), "{code}");
    }
    let mut rig = Rig::open();
    rig.lose();
    rig.core.resume(rig.now);
    assert_eq!(rig.core.state(), &State::Connecting);
}

#[test]
fn connection_that_does_not_answer_after_a_sleep_is_replaced_within_seconds() {
    let mut rig = acknowledged();
    rig.now += 40_000;
    rig.core.resume(rig.now);
    let sent = rig.sent();
    assert!(sent.iter().any(|envelope| is_question(envelope)), "{sent:?}");
    assert_eq!(rig.pass_to_timeout(), 5000);
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
    assert_eq!(rig.events().iter().filter(|event| matches!(event, Event::Error(_))).count(), 0);
}

#[test]
fn connection_that_answers_after_a_sleep_stays() {
    for answer in ["h", r#"a["{}"]"#] {
        let mut rig = acknowledged();
        rig.now += 40_000;
        rig.core.resume(rig.now);
        rig.core.resume(rig.now);
        let questions = rig.sent().iter().filter(|envelope| is_question(envelope)).count();
        assert_eq!(questions, 1);
        rig.frame(answer);
        rig.pass(5000);
        assert!(rig.core.state().is_open());
    }
}

#[test]
fn answer_to_the_question_is_nobodys_business() {
    let mut rig = acknowledged();
    rig.now += 40_000;
    rig.core.resume(rig.now);
    let label = rig.last_label();
    rig.receive(&format!(r#"{{"type":"err","address":"{label}","body":"unknown_address"}}"#));
    assert_eq!(rig.events(), []);
}

#[test]
fn server_without_receipts_and_one_just_heard_are_not_asked() {
    let mut rig = Rig::open();
    rig.now += 40_000;
    rig.core.resume(rig.now);
    assert!(!rig.sent().iter().any(|envelope| is_question(envelope)));
    let mut rig = acknowledged();
    rig.now += 500;
    rig.core.resume(rig.now);
    assert!(rig.sent().is_empty());
}

#[test]
fn overdue_ping_goes_when_the_page_is_looked_at() {
    let mut rig = Rig::open();
    rig.now += 9000;
    rig.core.resume(rig.now);
    assert_eq!(rig.sent(), [PING]);
}
