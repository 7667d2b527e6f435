//! Transports in turn.

use super::*;

fn tried(rig: &mut Rig, times: usize) -> Vec<Transport> {
    let mut tried = Vec::new();
    for _ in 0..times {
        tried.push(rig.opening().1);
        rig.lose();
    }
    tried
}

#[test]
fn all_transports_are_tried_in_order_and_then_it_waits() {
    let mut rig = Rig::browser();
    rig.info("{}");
    assert_eq!(tried(&mut rig, 4), ALL);
    let waiting = State::Waiting { attempt: 1, retry_in: std::time::Duration::from_millis(500) };
    assert_eq!(rig.core.state(), &waiting);
    assert_eq!(rig.core.last_close(), (2000, "All transports failed"));
}

#[test]
fn the_driver_may_say_why_nothing_could_be_opened() {
    let mut rig = Rig::browser();
    rig.info("{}");
    tried(&mut rig, 3);
    let link = rig.opening().0;
    rig.core.handle_refused(rig.now, link, "connection refused");
    assert_eq!(rig.core.last_close(), (2000, "connection refused"));
}

#[test]
fn server_without_websocket_is_not_asked_for_one() {
    let mut rig = Rig::browser();
    rig.info(r#"{"websocket":false}"#);
    assert_eq!(tried(&mut rig, 3), ALL[1..]);
}

#[test]
fn swallowed_upgrade_falls_on_by_time_within_seconds() {
    let mut rig = Rig::browser();
    rig.info("{}");
    let mut waited = Vec::new();
    for transport in ALL {
        assert_eq!(rig.opening().1, transport);
        waited.push(rig.pass_to_timeout());
    }
    assert_eq!(waited, [500, 500, 500, 10_000]);
}

#[test]
fn slow_network_gets_four_round_trips() {
    let mut rig = Rig::browser();
    rig.pass(500);
    rig.info("{}");
    assert_eq!(rig.opening().1, Transport::WebSocket);
    assert_eq!(rig.pass_to_timeout(), 1500);
    assert_eq!(rig.opening().1, Transport::XhrStreaming);
    assert_eq!(rig.pass_to_timeout(), 2000);
}

#[test]
fn each_attempt_has_a_session_of_its_own_and_its_urls() {
    let mut rig = Rig::browser();
    rig.info("{}");
    let urls: Vec<_> = (0..4)
        .map(|_| {
            let url = rig.opening().2;
            rig.lose();
            url
        })
        .collect();
    let shapes = [
        ("wss://host/bus/000/", "/websocket"),
        ("https://host/bus/000/", "/xhr_streaming"),
        ("https://host/bus/000/", "/eventsource"),
        ("https://host/bus/000/", "/xhr"),
    ];
    let mut sessions = std::collections::BTreeSet::new();
    for (url, (start, end)) in urls.iter().zip(shapes) {
        let session = url.strip_prefix(start).unwrap().strip_suffix(end).unwrap();
        assert_eq!(session.len(), 16);
        assert!(sessions.insert(session.to_owned()));
    }
}

#[test]
fn what_worked_is_tried_first_after_a_loss_and_the_best_one_later() {
    let mut rig = Rig::browser();
    rig.info("{}");
    assert_eq!(tried(&mut rig, 3), ALL[..3]);
    assert_eq!(rig.opening().1, Transport::XhrPolling);
    rig.frame("o");
    rig.lose();
    rig.pass_to_timeout();
    rig.info("{}");
    let again = [Transport::XhrPolling, Transport::WebSocket, Transport::XhrStreaming];
    assert_eq!(tried(&mut rig, 3), again);
    rig.accept();
    rig.pass(1);
    rig.lose();
    rig.pass(200_000);
    rig.info("{}");
    assert_eq!(rig.opening().1, Transport::WebSocket);
}

#[test]
fn info_may_name_another_base() {
    let mut rig = Rig::browser();
    rig.info(r#"{"base_url":"https://other/x"}"#);
    assert!(rig.opening().2.starts_with("wss://other/x/000/"));
}

#[test]
fn one_transport_can_be_forced_at_any_time() {
    let mut rig = Rig::open();
    rig.core.reconnect(rig.now, Some(vec![Transport::WebSocket]));
    let link = rig.accept();
    assert!(link.0 > 1);
    let states = rig.states();
    assert!(matches!(states[..], [State::Connecting, State::Open { .. }]));
}

#[test]
fn http_receiver_is_opened_again_when_its_response_ends() {
    let mut rig = Rig::browser();
    rig.info("{}");
    tried(&mut rig, 3);
    let (link, transport, url) = rig.opening();
    rig.frame("o");
    rig.core.handle_ended(rig.now, link);
    assert_eq!(rig.opening(), (link, transport, url));
    rig.frame("h");
    rig.core.handle_ended(rig.now, link);
    assert_eq!(rig.opening().0, link);
    rig.core.handle_ended(rig.now, link);
    assert!(!rig.core.state().is_open(), "an empty response is a loss");
}

#[test]
fn uploads_over_http_go_one_at_a_time_as_one_array() {
    let mut rig = Rig::browser();
    rig.info(r#"{"websocket":false}"#);
    rig.accept();
    let Some(Action::Send { link, url, text }) = rig.action() else {
        panic!("no ping");
    };
    assert!(url.unwrap().ends_with("/xhr_send"));
    assert_eq!(text, format!("[{PING:?}]"));
    rig.publish("a").unwrap();
    rig.publish("b").unwrap();
    assert_eq!(rig.action(), None);
    rig.core.handle_sent(link);
    let Some(Action::Send { text, .. }) = rig.action() else {
        panic!("no second upload");
    };
    assert_eq!(text, format!("[{:?},{:?}]", publication("a"), publication("b")));
    assert_eq!(rig.action(), None);
}
