//! Pings and silence.

use super::*;

#[test]
fn first_ping_goes_on_open_and_then_one_each_interval() {
    let mut rig = Rig::socket();
    rig.accept();
    assert_eq!(rig.sent(), [PING]);
    for _ in 0..3 {
        assert_eq!(rig.pass_to_timeout(), 5000);
        assert_eq!(rig.sent(), [PING]);
    }
}

#[test]
fn overdue_ping_goes_with_any_frame_that_arrives() {
    let mut rig = Rig::open();
    rig.now += 7000;
    rig.frame("h");
    assert_eq!(rig.sent(), [PING]);
    rig.frame("h");
    assert!(rig.sent().is_empty());
}

#[test]
fn pings_do_not_pile_up_behind_a_slow_upload() {
    let mut rig = Rig::open();
    rig.publish("x").unwrap();
    let Some(Action::Send { link, .. }) = rig.action() else {
        panic!("nothing sent");
    };
    for _ in 0..10 {
        rig.pass(5000);
    }
    rig.core.handle_sent(link);
    assert_eq!(rig.sent(), [PING]);
}

#[test]
fn no_interval_means_no_ping() {
    let options = plain().ping_interval(std::time::Duration::ZERO);
    let mut rig = Rig::with(options.transports([Transport::WebSocket]));
    rig.accept();
    assert!(rig.sent().is_empty());
    assert_eq!(rig.core.poll_timeout(), None);
}

#[test]
fn server_that_stops_its_heartbeats_is_dead() {
    let mut rig = Rig::open();
    rig.frame("h");
    rig.pass(62_499);
    assert!(rig.core.state().is_open());
    rig.pass(1);
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
    assert_eq!(rig.core.last_close().0, 1006);
}

#[test]
fn server_that_never_sent_a_heartbeat_is_not_judged_by_it() {
    let mut rig = Rig::open();
    rig.frame(&"h".repeat(2048));
    rig.pass(1_000_000);
    assert!(rig.core.state().is_open());
}

#[test]
fn any_frame_shows_life() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.frame("h");
    for _ in 0..5 {
        rig.pass(50_000);
        rig.receive(r#"{"type":"rec","address":"a","body":1}"#);
    }
    assert!(rig.core.state().is_open());
}
