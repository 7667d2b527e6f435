//! Back-off, giving up, closing.

use super::*;

#[test]
fn info_failure_waits_longer_each_time() {
    let mut rig = Rig::browser();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let link = rig.asked_info();
        rig.core.handle_failed(rig.now, link);
        assert_eq!(rig.opening().1, Transport::WebSocket);
        rig.lose();
        assert_eq!(rig.core.last_close(), (1002, "Cannot connect to server"));
        waits.push(rig.pass_to_timeout());
    }
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
}

#[test]
fn info_that_never_comes_is_given_up() {
    let mut rig = Rig::browser();
    assert_eq!(rig.pass_to_timeout(), 5000);
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn lasting_connection_starts_the_count_anew() {
    let mut rig = Rig::open();
    for expected in [500, 1000, 2000] {
        rig.pass(100);
        rig.lose();
        assert_eq!(rig.pass_to_timeout(), expected);
        rig.accept();
        rig.sent();
    }
    rig.pass(6000);
    rig.lose();
    assert_eq!(rig.pass_to_timeout(), 500);
}

#[test]
fn attempts_end_at_their_maximum() {
    let options =
        Options::new().reconnect(Reconnect { attempts_max: Some(2), ..Reconnect::default() });
    let mut rig = Rig::with(options.transports([Transport::WebSocket]));
    for _ in 0..3 {
        rig.opening();
        rig.lose();
        if !rig.core.state().is_closed() {
            rig.pass_to_timeout();
        }
    }
    assert!(matches!(rig.core.state(), State::Closed { code: 2000, .. }));
    assert_eq!(rig.core.poll_timeout(), None);
}

#[test]
fn no_reconnect_means_closed_at_the_first_loss() {
    let mut rig = Rig::open();
    rig.core.limit_attempts(Some(0));
    rig.lose();
    assert!(matches!(rig.core.state(), State::Closed { code: 1006, .. }));
}

#[test]
fn limit_of_zero_ends_the_wait() {
    let mut rig = Rig::open();
    rig.lose();
    rig.core.limit_attempts(Some(0));
    assert!(matches!(rig.core.state(), State::Closed { code: 1006, .. }));
}

#[test]
fn codes_of_the_table_say_whether_it_connects_again() {
    for close in trolleybus_protocol::codes::CLOSES {
        let mut rig = Rig::open();
        rig.frame(&format!("c[{},\"{}\"]", close.code, close.reason));
        assert_eq!(!rig.core.state().is_closed(), close.retry, "{close:?}");
        assert_eq!(rig.core.last_close(), (close.code, close.reason));
    }
}

#[test]
fn unknown_codes_allow_another_attempt() {
    let mut rig = Rig::open();
    rig.frame("c[4711,\"who knows\"]");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn close_says_what_waits_first() {
    let mut rig = Rig::open();
    rig.publish("last").unwrap();
    rig.core.close();
    assert!(matches!(rig.action(), Some(Action::Send { .. })));
    assert!(matches!(rig.action(), Some(Action::Close { .. })));
    assert_eq!(rig.action(), None);
    let closed = State::Closed { code: 1000, reason: "closed by the application".to_owned() };
    assert_eq!(rig.states(), [closed]);
    assert_eq!(rig.publish("late").unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn close_during_the_wait_ends_it() {
    let mut rig = Rig::open();
    rig.lose();
    rig.core.close();
    assert!(rig.core.state().is_closed());
    assert_eq!(rig.core.poll_timeout(), None);
    rig.pass(100_000);
    rig.core.reconnect(rig.now, None);
    assert!(matches!(rig.action(), Some(Action::Close { .. }) | None));
    assert!(rig.core.state().is_closed());
}

#[test]
fn close_twice_and_while_connecting_does_no_harm() {
    for mut rig in [Rig::browser(), Rig::socket()] {
        rig.core.close();
        rig.core.close();
        assert_eq!(rig.states().len(), 1);
    }
}

#[test]
fn input_from_an_older_link_is_ignored() {
    let mut rig = Rig::open();
    let old = rig.core.link;
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    rig.states();
    rig.core.handle_failed(rig.now, old);
    rig.core.handle_frame(rig.now, old, "c[3000,\"Go away!\"]");
    rig.core.handle_ended(rig.now, old);
    rig.core.handle_info(rig.now, old, "{}");
    assert_eq!(rig.events(), []);
    assert!(rig.core.state().is_open());
}

#[test]
fn what_is_no_url_closes_at_once() {
    let core = Connection::new("/relative", Options::new(), 1, 0);
    assert!(matches!(core.state(), State::Closed { code: 1002, .. }));
}

#[test]
fn second_open_frame_is_a_lost_session() {
    let mut rig = Rig::open();
    rig.frame("o");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn what_is_no_frame_is_a_loss() {
    let mut rig = Rig::open();
    rig.frame("<html>");
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn close_frame_of_the_websocket_is_heeded_without_a_frame_before_it() {
    for (code, reason, is_end) in [
        (1009, "Message too big", true),
        (1007, "Text expected", true),
        (3000, "Broken framing.", true),
        (3003, "Unauthorized", true),
        (3001, "Slow consumer", false),
        (4711, "of an application", false),
    ] {
        let mut rig = Rig::open();
        let link = rig.core.link;
        rig.core.handle_closed(rig.now, link, code, reason);
        assert_eq!(rig.core.state().is_closed(), is_end, "{code}");
        assert_eq!(rig.core.last_close(), (code, reason));
    }
}

#[test]
fn close_frame_that_says_nothing_is_a_loss() {
    for code in [1000, 1001, 1005, 1006] {
        let mut rig = Rig::open();
        let link = rig.core.link;
        rig.core.handle_closed(rig.now, link, code, "");
        assert_eq!(rig.core.last_close().0, 1006);
    }
}

#[test]
fn close_frame_before_open_leads_to_the_next_transport_unless_it_forbids() {
    let mut rig = Rig::browser();
    rig.info(r#"{"websocket":true}"#);
    let (link, ..) = rig.opening();
    rig.core.handle_closed(rig.now, link, 1011, "of a proxy");
    let (link, transport, _) = rig.opening();
    assert_eq!(transport, Transport::XhrStreaming);
    rig.core.handle_closed(rig.now, link, 3004, "Kicked");
    assert!(rig.core.state().is_closed());
}

#[test]
fn drained_and_busy_servers_are_given_time() {
    for (code, reason, least, most) in
        [(1012, "Service restart", 500, 3500), (3006, "Too many connections", 10_000, 20_000)]
    {
        let mut rig = Rig::open();
        rig.frame(&format!(r#"c[{code},"{reason}"]"#));
        let waits = rig.pass_to_timeout();
        assert!((least..most).contains(&waits), "{code}: {waits}");
        rig.accept();
    }
}
