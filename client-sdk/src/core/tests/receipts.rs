//! Receipts: what the server says to registrations, their ends, and writes; patterns among them.

use trolleybus_protocol::Overflow;

use super::super::Delivery;
use super::*;

impl Rig {
    fn outcome(&mut self, address: &str) -> Option<Result<(), ErrorKind>> {
        let outcome = self.core.registration(address, false)?;
        Some(outcome.map_err(|error| error.kind()))
    }

    /// Writes; the answer comes as a reply.
    fn write(&mut self, address: &str, all: bool) -> Result<RequestId, Error> {
        let options = DeliveryOptions::default();
        self.core.write(self.now, &address.into(), Body::null(), options, all)
    }

    fn deliveries(&mut self) -> Vec<(Vec<ConsumerId>, Delivery)> {
        let events = self.events().into_iter();
        let messages = events.filter_map(|event| match event {
            Event::Message { consumers, message } => Some((consumers, message)),
            _ => None,
        });
        messages.collect()
    }
}

#[test]
fn registration_is_known_by_its_receipt() {
    let mut rig = Rig::open();
    rig.consumer("a");
    assert_eq!(rig.sent(), [register("a")]);
    assert!(rig.receipts[0].len() <= 36);
    assert_eq!(rig.outcome("a"), None);
    rig.receipt(0);
    assert_eq!(rig.outcome("a"), Some(Ok(())));
    assert_eq!(rig.registered(), [("a".to_owned(), Ok(()))]);
    assert_eq!(rig.core.poll_timeout(), Some(rig.now + 5000), "only the ping is left");
}

#[test]
fn second_consumer_hears_what_is_known_already() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.receipt(0);
    rig.registered();
    rig.consumer("a");
    assert!(rig.sent().is_empty());
    assert_eq!(rig.registered(), [("a".to_owned(), Ok(()))]);
}

#[test]
fn refused_registration_is_told_twice_and_tried_again_by_the_next_consumer() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.refusal(0, "access_denied");
    let denied = ErrorKind::Refused(trolleybus_protocol::codes::Refusal::AccessDenied);
    let events = rig.events();
    assert!(matches!(&events[..],
        [Event::Registered { result: Err(told), .. }, Event::Error(reported)]
            if told == reported && told.kind() == denied));
    assert_eq!(rig.outcome("a"), Some(Err(denied)));
    rig.consumer("a");
    assert_eq!(rig.sent(), [register("a")]);
    rig.receipt(1);
    assert_eq!(rig.outcome("a"), Some(Ok(())));
}

#[test]
fn server_without_receipts_leaves_registrations_in_force() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.pass(9999);
    assert_eq!(rig.outcome("a"), None);
    rig.pass(1);
    assert_eq!(rig.registered(), [("a".to_owned(), Err(ErrorKind::Timeout))]);
    rig.receive(r#"{"type":"rec","address":"a","body":1}"#);
    assert_eq!(rig.messages().len(), 1);
    rig.consumer("b");
    rig.sent();
    assert_eq!(rig.outcome("b"), None);
}

#[test]
fn every_connection_has_to_acknowledge_anew() {
    let mut rig = Rig::open();
    rig.consumer("a");
    rig.sent();
    rig.receipt(0);
    rig.lose();
    assert_eq!(rig.outcome("a"), None);
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING.to_owned(), register("a")]);
    rig.receipt(0);
    assert_eq!(rig.outcome("a"), None, "the receipt of the connection before");
    rig.receipt(1);
    assert_eq!(rig.outcome("a"), Some(Ok(())));
}

#[test]
fn registration_that_is_lost_or_over_is_known_to_be() {
    let mut rig = Rig::open();
    let consumer = rig.consumer("a");
    rig.sent();
    rig.lose();
    assert!(rig.registered().is_empty() && rig.replies().is_empty());
    rig.core.unregister(consumer);
    assert_eq!(rig.outcome("a"), Some(Err(ErrorKind::Closed)));
    rig.consumer("b");
    rig.core.close();
    assert_eq!(rig.outcome("b"), Some(Err(ErrorKind::Closed)));
}

#[test]
fn end_of_a_registration_is_acknowledged() {
    let mut rig = Rig::open();
    let (first, second) = (rig.consumer("a"), rig.consumer("a"));
    rig.sent();
    assert_eq!(rig.core.unregister_acknowledged(rig.now, first), None);
    let end = rig.core.unregister_acknowledged(rig.now, second).unwrap();
    assert_eq!(rig.sent(), [r#"{"type":"unregister","address":"a"}"#]);
    rig.receipt(1);
    assert_eq!(rig.replies(), [(end, Ok("null".to_owned()))]);
    let third = rig.consumer("a");
    assert_eq!(rig.core.unregister_acknowledged(rig.now, third), None, "it was never sent");
    assert!(rig.sent().is_empty());
    let fourth = rig.consumer("a");
    rig.sent();
    let end = rig.core.unregister_acknowledged(rig.now, fourth).unwrap();
    rig.lose();
    assert_eq!(rig.replies(), [(end, Err(ErrorKind::ConnectionLost))]);
}

#[test]
fn write_hears_whether_anybody_is_there() {
    let mut rig = Rig::open();
    for all in [false, true] {
        let taken = rig.write("a", all).unwrap();
        let missed = rig.write("a", all).unwrap();
        let word = if all { "publish" } else { "send" };
        let expected = format!(r#"{{"type":"{word}","address":"a","body":null}}"#);
        assert_eq!(rig.sent(), [expected.clone(), expected]);
        rig.receipt(0);
        let label = rig.receipts[1].clone();
        let text = r#""failureCode":-1,"failureType":"NO_HANDLERS","message":"none""#;
        rig.receive(&format!(r#"{{"type":"err","address":"{label}",{text}}}"#));
        let nobody = Err(ErrorKind::NoHandlers);
        assert_eq!(rig.replies(), [(taken, Ok("null".to_owned())), (missed, nobody)]);
        rig.receipts.clear();
    }
    let unanswered = rig.write("a", true).unwrap();
    rig.sent();
    rig.pass(30_000);
    assert_eq!(rig.replies(), [(unanswered, Err(ErrorKind::Timeout))]);
}

#[test]
fn write_to_a_consumer_of_this_client_has_succeeded() {
    let mut rig = Rig::open();
    rig.local_consumer("a");
    for (all, envelopes) in [(false, 0), (true, 1)] {
        let write = rig.write("a", all).unwrap();
        assert_eq!(rig.sent().len(), envelopes);
        let events = rig.events();
        assert!(matches!(&events[..],
            [Event::Message { .. }, Event::Reply { request, result: Ok(_) }]
                if *request == write));
    }
    let options = DeliveryOptions::new().local_only();
    let error = rig.core.write(rig.now, &"b".into(), Body::null(), options, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
}

#[test]
fn pattern_and_overflow_go_with_the_registration() {
    let mut rig = Rig::open();
    let options = ConsumerOptions::new().pattern().overflow(Overflow::Latest);
    let consumer = rig.consumer_with("a.*", &options);
    let expected = r#"{"type":"register","address":"a.*","pattern":true,"overflow":"latest"}"#;
    assert_eq!(rig.sent(), [expected]);
    rig.lose();
    rig.pass_to_timeout();
    rig.accept();
    assert_eq!(rig.sent(), [PING, expected]);
    rig.core.unregister(consumer);
    assert_eq!(rig.sent(), [r#"{"type":"unregister","address":"a.*","pattern":true}"#]);
}

#[test]
fn exact_and_pattern_consumers_get_their_own_copies() {
    let mut rig = Rig::open();
    let exact = rig.consumer("a.b");
    let pattern = rig.consumer_with("a.*", &ConsumerOptions::new().pattern());
    rig.receive(r#"{"type":"rec","address":"a.b","body":1}"#);
    rig.receive(r#"{"type":"rec","address":"a.b","body":1,"pattern":"a.*","dropped":3}"#);
    let deliveries = rig.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert_eq!((&deliveries[0].0[..], &deliveries[0].1.pattern), (&[exact][..], &None));
    let (consumers, message) = &deliveries[1];
    assert_eq!(consumers[..], [pattern]);
    assert_eq!(message.pattern.as_ref().unwrap().as_str(), "a.*");
    assert_eq!((message.address.as_str(), message.dropped), ("a.b", 3));
}

#[test]
fn local_messages_reach_patterns_too() {
    let mut rig = Rig::open();
    let exact = rig.local_consumer("a.b");
    let pattern = rig.consumer_with("a.>", &ConsumerOptions::new().pattern().local_only());
    rig.publish("a.b").unwrap();
    let deliveries = rig.deliveries();
    let consumers: Vec<_> = deliveries.iter().flat_map(|(ids, _)| ids.clone()).collect();
    assert_eq!(consumers, [exact, pattern]);
    assert_eq!(deliveries[1].1.pattern.as_ref().unwrap().as_str(), "a.>");
    let request = rig.request("a.c");
    assert_eq!(rig.deliveries()[0].0, [pattern]);
    rig.sent();
    rig.pass(30_000);
    assert_eq!(rig.replies(), [(request, Err(ErrorKind::Timeout))]);
}
