//! Messages within the client.

use super::super::{Delivery, Origin};
use super::*;

fn local_only() -> DeliveryOptions {
    DeliveryOptions::default().local_only()
}

fn taken(rig: &mut Rig) -> Delivery {
    let mut events = rig.events();
    match events.pop() {
        Some(Event::Message { message, .. }) => message,
        other => panic!("no message but {other:?}"),
    }
}

#[test]
fn publish_reaches_local_consumers_and_the_bus() {
    let mut rig = Rig::open();
    rig.local_consumer("a");
    rig.consumer("a");
    rig.sent();
    rig.publish("a").unwrap();
    assert_eq!(rig.messages(), [(1, "a".to_owned(), "null".to_owned())]);
    assert_eq!(rig.sent(), [publication("a")]);
}

#[test]
fn message_bound_to_the_client_stays_there() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    let body = Body::null();
    rig.core.publish(&"a".into(), body.clone(), local_only()).unwrap();
    rig.core.send(&"a".into(), body.clone(), local_only()).unwrap();
    rig.core.send(&"nobody".into(), body.clone(), local_only()).unwrap();
    assert_eq!(rig.messages().len(), 2);
    assert!(rig.sent().is_empty());
    let error = rig.core.request(rig.now, &"nobody".into(), body, local_only());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NoHandlers);
}

#[test]
fn local_request_is_answered_without_the_server() {
    let mut rig = Rig::socket();
    rig.local_consumer("a");
    let request = rig.request("a");
    let message = taken(&mut rig);
    assert_eq!(message.origin, Origin::Local);
    let to = message.reply_address.unwrap();
    for body in ["1", "2"] {
        let body = Body::from_json(body).unwrap();
        rig.core.reply(Origin::Local, &to, body, DeliveryOptions::default()).unwrap();
    }
    assert_eq!(rig.replies(), [(request, Ok("1".to_owned()))]);
}

#[test]
fn local_request_survives_a_loss_and_can_be_failed() {
    let mut rig = Rig::open();
    rig.local_consumer("a");
    let request = rig.request("a");
    let to = taken(&mut rig).reply_address.unwrap();
    rig.lose();
    rig.core.refuse(Origin::Local, &to, 7, "no").unwrap();
    assert_eq!(rig.replies(), [(request, Err(ErrorKind::RecipientFailure))]);
}

#[test]
fn local_reply_can_ask_back() {
    let mut rig = Rig::open();
    rig.local_consumer("a");
    rig.request("a");
    let to = taken(&mut rig).reply_address.unwrap();
    let options = DeliveryOptions::default();
    let second = rig
        .core
        .reply_and_request(rig.now, Origin::Local, &to, Body::null(), options.clone())
        .unwrap();
    let Some(Event::Reply { result: Ok(reply), .. }) = rig.core.poll_event() else {
        panic!("no reply");
    };
    let back = reply.reply_address.unwrap();
    rig.core.reply(Origin::Local, &back, Body::null(), options).unwrap();
    assert_eq!(rig.replies(), [(second, Ok("null".to_owned()))]);
}

#[test]
fn local_messages_are_bounded() {
    let mut rig = Rig::with(plain().outbox_len(3));
    rig.local_consumer("a");
    let mut send = || rig.core.send(&"a".into(), Body::null(), DeliveryOptions::default());
    let failed = (0..5).find_map(|_| send().err()).unwrap();
    assert_eq!(failed.kind(), ErrorKind::Overflow);
}
