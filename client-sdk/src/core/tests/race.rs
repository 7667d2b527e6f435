//! `/info` and transports side by side.

use super::*;

/// What is under way, and what was closed, since it was last asked.
fn moves(rig: &mut Rig) -> Vec<(&'static str, Link)> {
    let actions = std::iter::from_fn(|| rig.action());
    let moves = actions.filter_map(|action| match action {
        Action::FetchInfo { link, .. } => Some(("info", link)),
        Action::Open { link, transport, .. } => Some((transport.as_str(), link)),
        Action::Close { link } => Some(("close", link)),
        _ => None,
    });
    moves.collect()
}

fn names(moves: &[(&'static str, Link)]) -> Vec<&'static str> {
    moves.iter().map(|(name, _)| *name).collect()
}

/// The WebSocket that starts with `/info`.
fn started(rig: &mut Rig) -> (Link, Link) {
    let moves = moves(rig);
    assert_eq!(names(&moves), ["info", "websocket"]);
    (moves[0].1, moves[1].1)
}

#[test]
fn websocket_starts_beside_info_and_is_the_only_session() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_info(rig.now, info, "{}");
    rig.core.handle_frame(rig.now, socket, "o");
    assert_eq!(rig.core.state().transport(), Some(Transport::WebSocket));
    assert_eq!(moves(&mut rig), []);
}

#[test]
fn websocket_that_is_faster_than_info_waits_for_it_only_for_a_moment() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_frame(rig.now, socket, "o");
    assert!(!rig.core.state().is_open());
    assert_eq!(rig.pass_to_timeout(), 300);
    assert_eq!(rig.core.state().transport(), Some(Transport::WebSocket));
    assert_eq!(moves(&mut rig), [("close", info)]);

    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_frame(rig.now, socket, "o");
    rig.core.handle_info(rig.now, info, "{}");
    assert!(rig.core.state().is_open());

    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_frame(rig.now, socket, "o");
    rig.core.handle_failed(rig.now, info);
    assert!(rig.core.state().is_open(), "it is there, whatever became of /info");
}

#[test]
fn info_that_says_otherwise_wins_over_the_websocket_that_is_under_way() {
    for is_ready in [false, true] {
        let mut rig = Rig::browser();
        let (info, socket) = started(&mut rig);
        if is_ready {
            rig.core.handle_frame(rig.now, socket, "o");
        }
        rig.core.handle_info(rig.now, info, r#"{"websocket":false}"#);
        let next = moves(&mut rig);
        assert_eq!(names(&next), ["close", "xhr-streaming"]);
        assert_eq!(next[0].1, socket);

        let mut rig = Rig::browser();
        let (info, socket) = started(&mut rig);
        if is_ready {
            rig.core.handle_frame(rig.now, socket, "o");
        }
        rig.core.handle_info(rig.now, info, r#"{"base_url":"https://other/x"}"#);
        assert!(!rig.core.state().is_open());
        assert!(rig.opening().2.starts_with("wss://other/x/000/"));
        rig.frame("o");
        assert!(rig.core.state().is_open());
    }
}

#[test]
fn fallback_joins_a_silent_websocket_and_the_first_to_open_stays() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_info(rig.now, info, "{}");
    assert_eq!(rig.pass_to_timeout(), 500);
    let joined = moves(&mut rig);
    assert_eq!(names(&joined), ["xhr-streaming"]);
    rig.core.handle_frame(rig.now, joined[0].1, "o");
    assert_eq!(rig.core.state().transport(), Some(Transport::XhrStreaming));
    assert_eq!(moves(&mut rig), [("close", socket)]);
    rig.core.handle_frame(rig.now, socket, "o");
    assert_eq!(rig.core.state().transport(), Some(Transport::XhrStreaming));

    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_info(rig.now, info, "{}");
    rig.pass_to_timeout();
    let joined = moves(&mut rig);
    rig.core.handle_frame(rig.now, socket, "o");
    assert_eq!(rig.core.state().transport(), Some(Transport::WebSocket));
    assert_eq!(moves(&mut rig), [("close", joined[0].1)]);
}

#[test]
fn all_silent_transports_are_open_to_win_within_two_seconds() {
    let mut rig = Rig::browser();
    let (info, _) = started(&mut rig);
    rig.core.handle_info(rig.now, info, "{}");
    let start = rig.now;
    while rig.now - start < 2000 {
        rig.pass_to_timeout();
        let joined = moves(&mut rig);
        if names(&joined) == ["xhr-polling"] {
            rig.core.handle_frame(rig.now, joined[0].1, "o");
            assert_eq!(rig.core.state().transport(), Some(Transport::XhrPolling));
            assert_eq!(names(&moves(&mut rig)), ["close"; 3]);
            return;
        }
    }
    panic!("xhr-polling did not join");
}

#[test]
fn refused_websocket_waits_for_info_before_the_next() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_closed(rig.now, socket, 1006, "");
    assert_eq!(names(&moves(&mut rig)), ["close"]);
    rig.core.handle_info(rig.now, info, "{}");
    assert_eq!(names(&moves(&mut rig)), ["xhr-streaming"]);
}

#[test]
fn websocket_may_open_where_info_fails() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.handle_failed(rig.now, info);
    assert_eq!(rig.core.state(), &State::Connecting);
    rig.core.handle_frame(rig.now, socket, "o");
    assert!(rig.core.state().is_open());
}

#[test]
fn everything_under_way_ends_with_the_client() {
    let mut rig = Rig::browser();
    let (info, socket) = started(&mut rig);
    rig.core.close();
    assert_eq!(moves(&mut rig), [("close", info), ("close", socket)]);
    rig.core.handle_frame(rig.now, socket, "o");
    rig.core.handle_info(rig.now, info, "{}");
    assert!(rig.core.state().is_closed());
}
