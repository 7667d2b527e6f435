//! Back to a WebSocket while the page lives.

use super::super::climb::OVERLAP_MAX;
use super::super::{Origin, Overlap};
use super::*;

const CLIMB_AFTER: u64 = 120_000;

/// Open over xhr-streaming because the WebSocket was refused, with the greeting sent and the
/// registrations of these addresses acknowledged.
fn fallen(addresses: &[&str]) -> (Rig, Link) {
    let mut rig = Rig::browser();
    for address in addresses {
        rig.consumer(address);
    }
    rig.info("{}");
    rig.opening();
    rig.lose();
    assert_eq!(rig.opening().1, Transport::XhrStreaming);
    rig.frame("o");
    rig.sent();
    for index in 0..addresses.len() {
        rig.receipt(index);
    }
    rig.receipts.clear();
    rig.events();
    let link = rig.core.link;
    (rig, link)
}

/// Lets time pass until the WebSocket is tried.
fn tried(rig: &mut Rig) -> Link {
    rig.pass(CLIMB_AFTER);
    rig.sent();
    let action = rig.core.contenders.first().expect("no WebSocket is tried");
    assert_eq!(action.transport, Transport::WebSocket);
    action.link
}

/// Opens it and looks for the moment.
fn climbed(rig: &mut Rig) -> Link {
    let socket = tried(rig);
    rig.core.handle_frame(rig.now, socket, "o");
    rig.core.handle_timeout(rig.now);
    assert_eq!(rig.core.link, socket);
    socket
}

/// What is sent, by link, without receipts; those are in the order of [`Rig::receipt`].
fn sent_by(rig: &mut Rig, link: Link) -> Vec<String> {
    rig.poll();
    let mut texts = Vec::new();
    let mut at = 0;
    while at < rig.polled.len() {
        match &rig.polled[at] {
            Action::Send { link: by, .. } if *by == link => {
                let Some(Action::Send { text, url, .. }) = rig.polled.remove(at) else {
                    unreachable!()
                };
                let is_socket = rig.core.state().transport() == Some(Transport::WebSocket);
                assert_eq!(url.is_none(), is_socket && link == rig.core.link);
                texts.push(text);
                rig.core.handle_sent(link);
                rig.poll();
            }
            _ => at += 1,
        }
    }
    let mut envelopes = Vec::new();
    for text in texts {
        let Ok(Frame::Messages(some)) = Frame::parse(&format!("a{text}")) else {
            panic!("no upload: {text}");
        };
        envelopes.extend(some.iter().map(|envelope| rig.without_receipt(envelope)));
    }
    envelopes
}

fn frame_by(rig: &mut Rig, link: Link, envelope: &str) {
    let frame = Frame::Messages(vec![envelope.to_owned()]);
    rig.core.handle_frame(rig.now, link, &frame.encode());
}

fn answer(rig: &mut Rig, link: Link, index: usize) {
    let label = rig.receipts[index].clone();
    frame_by(rig, link, &format!(r#"{{"type":"rec","address":"{label}","body":null}}"#));
}

fn message(body: u32) -> String {
    format!(r#"{{"type":"rec","address":"a","body":{body}}}"#)
}

fn bodies(rig: &mut Rig) -> Vec<String> {
    rig.messages().into_iter().map(|(_, _, body)| body).collect()
}

#[test]
fn page_that_had_to_fall_back_climbs_after_a_while() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    let states = rig.states();
    assert_eq!(states, [State::Open { transport: Transport::WebSocket }]);
    assert_eq!(sent_by(&mut rig, socket), [PING.to_owned(), register("a")]);
    answer(&mut rig, socket, 0);
    let told = sent_by(&mut rig, old);
    assert_eq!(told[0], r#"{"type":"unregister","address":"a"}"#);
    answer(&mut rig, old, 1);
    assert_eq!(sent_by(&mut rig, socket).len(), 1, "what shows that all has come");
    answer(&mut rig, socket, 2);
    assert!(rig.events().contains(&Event::Overlap(Overlap::Ends)));
    rig.pass(8000);
    let closes = std::iter::from_fn(|| rig.core.poll_action());
    assert_eq!(closes.filter(|action| *action == Action::Close { link: old }).count(), 1);
    assert!(rig.core.state().is_open());
    rig.pass(CLIMB_AFTER);
    assert!(rig.core.contenders.is_empty(), "there is nothing above a WebSocket");
}

#[test]
fn nothing_is_lost_comes_twice_or_changes_places_on_the_way() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    sent_by(&mut rig, socket);
    // The new one is faster.
    frame_by(&mut rig, socket, &message(2));
    frame_by(&mut rig, old, &message(1));
    frame_by(&mut rig, socket, &message(3));
    frame_by(&mut rig, old, &message(2));
    answer(&mut rig, socket, 0);
    // Equal ones are as many as there were.
    for link in [old, old, socket, old, socket] {
        frame_by(&mut rig, link, &message(3));
    }
    assert_eq!(bodies(&mut rig), ["1", "2", "3", "3", "3"]);
    frame_by(&mut rig, old, &message(4));
    frame_by(&mut rig, socket, &message(5));
    sent_by(&mut rig, old);
    answer(&mut rig, old, 1);
    assert_eq!(bodies(&mut rig), ["4", "5"]);
    // What came over the old one may still come over the new one.
    frame_by(&mut rig, socket, &message(4));
    sent_by(&mut rig, socket);
    answer(&mut rig, socket, 2);
    frame_by(&mut rig, socket, &message(1));
    assert_eq!(bodies(&mut rig), ["1"]);
}

#[test]
fn what_is_held_back_comes_when_the_old_connection_goes_by_itself() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    sent_by(&mut rig, socket);
    frame_by(&mut rig, old, &message(1));
    frame_by(&mut rig, socket, &message(1));
    frame_by(&mut rig, socket, &message(2));
    rig.core.handle_failed(rig.now, old);
    assert_eq!(bodies(&mut rig), ["1", "2"]);
}

#[test]
fn what_is_held_back_comes_in_order_once_it_is_too_much() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    sent_by(&mut rig, socket);
    let most = u32::try_from(OVERLAP_MAX).unwrap();
    frame_by(&mut rig, old, &message(0));
    for number in 0..most {
        frame_by(&mut rig, socket, &message(number));
    }
    assert_eq!(bodies(&mut rig), ["0"]);
    frame_by(&mut rig, socket, &message(most));
    let held: Vec<_> = (1..most).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&mut rig), held);
    // What is under way on the old one comes again, and only that of the newest waits.
    frame_by(&mut rig, old, &message(1));
    frame_by(&mut rig, old, &message(most));
    assert_eq!(bodies(&mut rig), ["1".to_owned(), most.to_string()]);
    rig.core.handle_failed(rig.now, old);
    assert_eq!(bodies(&mut rig), [""; 0]);
}

#[test]
fn of_too_many_texts_the_oldest_is_forgotten() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    sent_by(&mut rig, socket);
    let most = u32::try_from(OVERLAP_MAX).unwrap();
    for number in 0..=most {
        frame_by(&mut rig, old, &message(number));
    }
    assert_eq!(bodies(&mut rig).len(), OVERLAP_MAX + 1);
    answer(&mut rig, socket, 0);
    sent_by(&mut rig, old);
    answer(&mut rig, old, 1);
    for number in 0..=most {
        frame_by(&mut rig, socket, &message(number));
    }
    assert_eq!(bodies(&mut rig), ["0"]);
}

#[test]
fn climb_waits_for_requests_that_are_under_way() {
    let (mut rig, old) = fallen(&[]);
    let socket = tried(&mut rig);
    let request = rig.request("echo");
    sent_by(&mut rig, old);
    rig.core.handle_frame(rig.now, socket, "o");
    rig.core.handle_timeout(rig.now);
    assert_eq!(rig.core.link, old);
    let to = rig.reply_address(request);
    frame_by(&mut rig, old, &format!(r#"{{"type":"rec","address":"{to}","body":1}}"#));
    assert_eq!(rig.replies(), [(request, Ok("1".to_owned()))]);
    rig.pass(50);
    assert_eq!(rig.core.link, socket);
}

#[test]
fn climb_without_its_moment_is_put_off() {
    let (mut rig, old) = fallen(&[]);
    let socket = tried(&mut rig);
    rig.request("slow");
    sent_by(&mut rig, old);
    rig.core.handle_frame(rig.now, socket, "o");
    for _ in 0..200 {
        rig.pass(50);
    }
    assert_eq!(rig.core.link, old);
    assert!(rig.core.contenders.is_empty());
    assert!(rig.core.state().is_open());
    rig.pass(30_000);
    rig.sent();
    climbed(&mut rig);
}

#[test]
fn websocket_that_fails_or_stays_silent_leaves_the_connection_alone() {
    let (mut rig, old) = fallen(&[]);
    let socket = tried(&mut rig);
    rig.core.handle_closed(rig.now, socket, 1006, "");
    assert!(rig.core.contenders.is_empty());
    let socket = tried(&mut rig);
    rig.core.handle_closed(rig.now, socket, 3004, "Kicked");
    tried(&mut rig);
    rig.pass(8000);
    assert!(rig.core.contenders.is_empty());
    assert!(rig.core.state().is_open() && rig.core.link == old);
    assert_eq!(rig.states(), []);
}

#[test]
fn request_that_came_over_the_old_connection_can_be_answered_for_a_while() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    sent_by(&mut rig, socket);
    let reply = |rig: &mut Rig| {
        let (to, options) = (Address::from("r"), DeliveryOptions::default());
        rig.core.reply(Origin::Link(old), &to, Body::null(), options)
    };
    reply(&mut rig).unwrap();
    assert_eq!(sent_by(&mut rig, old), [r#"{"type":"send","address":"r","body":null}"#]);
    rig.pass(8000);
    assert_eq!(reply(&mut rig).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn old_connection_may_go_by_itself() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    rig.core.handle_frame(rig.now, old, r#"c[3000,"Go away!"]"#);
    assert!(rig.core.state().is_open() && rig.core.link == socket);
    assert!(rig.events().contains(&Event::Overlap(Overlap::Ends)));
    rig.core.handle_failed(rig.now, socket);
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
}

#[test]
fn loss_on_the_way_is_a_loss_like_any_other() {
    let (mut rig, old) = fallen(&["a"]);
    let socket = climbed(&mut rig);
    rig.core.handle_failed(rig.now, socket);
    assert!(matches!(rig.core.state(), State::Waiting { .. }));
    let actions: Vec<_> = std::iter::from_fn(|| rig.core.poll_action()).collect();
    for link in [socket, old] {
        assert!(actions.contains(&Action::Close { link }));
    }
    assert!(rig.events().contains(&Event::Overlap(Overlap::Ends)));
}

#[test]
fn nobody_climbs_to_what_the_server_does_not_offer_or_nobody_wants() {
    let mut rig = Rig::browser();
    rig.info(r#"{"websocket":false}"#);
    rig.accept();
    rig.sent();
    rig.pass(10 * CLIMB_AFTER);
    assert!(rig.core.contenders.is_empty());
    let (mut rig, _) = fallen(&[]);
    rig.core.hand_over();
    rig.pass(CLIMB_AFTER);
    assert!(rig.core.contenders.is_empty() && rig.core.poll_timeout() > Some(rig.now));
    let mut options = plain();
    options.transports = vec![Transport::XhrStreaming, Transport::WebSocket];
    let mut rig = Rig::with(options);
    rig.info("{}");
    rig.accept();
    rig.sent();
    rig.pass(10 * CLIMB_AFTER);
    assert!(rig.core.contenders.is_empty());
}
