//! What a hook sees of clients over TCP and may decide, as for sockets.

use std::future::ready;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use trolleybus::access::Principal;
use trolleybus::bridge::{BridgeEvent, BridgeOptions, ClientKind, EventKind, Permitted};
use trolleybus::gateway::TcpOptions;
use trolleybus::{Body, Bus, BusMessage as _, ErrorKind, EventBus as _};
use trolleybus_tests::support::hooks::{expect, gated, noting, noting_and, rejecting};
use trolleybus_tests::support::soon;

use super::client::Bridge;
use super::tokens::believing;

const REJECTED: &str = "blocked by bridgeEvent handler";

#[tokio::test]
async fn every_event_of_a_conversation_is_seen_in_order() {
    let (hook, mut events) = noting();
    let bridge = Bridge::hooked(hook).await;
    let mut client = bridge.client().await;
    client.settle().await;
    client.send(json!({"type": "register", "address": "a"})).await;
    client.send(json!({"type": "register", "address": "b"})).await;
    client.send(json!({"type": "publish", "address": "a", "body": 1})).await;
    assert_eq!(client.next().await["body"], 1);
    client.send(json!({"type": "send", "address": "nobody"})).await;
    client.send(json!({"type": "unregister", "address": "a"})).await;
    client.settle().await;
    drop(client);
    let expected = [
        "SOCKET_CREATED",
        "SOCKET_PING",
        "REGISTER a",
        "REGISTERED a",
        "REGISTER b",
        "REGISTERED b",
        "PUBLISH a",
        "RECEIVE a",
        "SEND nobody",
        "UNREGISTER a",
        "SOCKET_PING",
        "UNREGISTER b",
        "SOCKET_CLOSED",
    ];
    expect(&mut events, &expected).await;
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn an_event_tells_which_client_it_came_from() {
    let (log, mut seen) = mpsc::unbounded_channel();
    let bridge = Bridge::hooked(move |event: BridgeEvent| {
        let client = event.client();
        assert!(event.socket().is_none() && client.principal().is_none());
        log.send((client.kind(), client.number(), client.remote_addr())).ok();
        ready(event.accept())
    })
    .await;
    for number in [1, 2] {
        let client = bridge.client().await;
        let addr = client.stream.local_addr().unwrap();
        let created = soon(seen.recv()).await.unwrap();
        assert_eq!(created, (ClientKind::Tcp, number, Some(addr)));
        drop(client);
        assert_eq!(soon(seen.recv()).await.unwrap(), created);
    }
}

#[tokio::test]
async fn who_is_behind_the_connection_is_known_once_a_token_was_shown() {
    let (log, mut seen) = mpsc::unbounded_channel();
    let bridge = Bridge::hooked_with(TcpOptions::default(), Some(believing(true)), |builder| {
        builder.hook(move |event: BridgeEvent| {
            let principal = event.client().principal();
            let subject = principal.as_deref().and_then(Principal::subject).map(str::to_owned);
            log.send((event.kind(), subject)).ok();
            ready(event.accept())
        })
    })
    .await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.refusal().await, "not_logged_in");
    client.send(json!({"type": "authenticate", "body": "ada"})).await;
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(soon(seen.recv()).await, Some((EventKind::Created, None)));
    // Nothing is asked about who may do nothing yet.
    assert_eq!(soon(seen.recv()).await, Some((EventKind::Publish, Some("ada".to_owned()))));
}

#[tokio::test]
async fn a_new_client_may_be_written_to_and_closed() {
    let bridge = Bridge::hooked(|event: BridgeEvent| {
        match event.kind() {
            EventKind::Created => event.client().send(r#"{"event":"welcome"}"#).unwrap(),
            EventKind::Publish => {
                event.client().send(r#"{"event":"bye"}"#).unwrap();
                event.client().close(3000, "Bye");
                assert!(event.client().send("{}").is_err());
            }
            _ => {}
        }
        ready(event.accept())
    })
    .await;
    let consumer = bridge.bus.consumer("a");
    let mut client = bridge.client().await;
    assert_eq!(client.next().await, json!({"event": "welcome"}));
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.next().await, json!({"event": "bye"}));
    client.ended().await;
    assert_eq!(consumer.buffered(), 0);
}

#[tokio::test]
async fn a_rejected_client_is_told_and_never_heard_of_again() {
    let (hook, mut events) = noting_and(BridgeEvent::reject);
    let bridge = Bridge::hooked(hook).await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.refusal().await, REJECTED);
    client.ended().await;
    expect(&mut events, &["SOCKET_CREATED"]).await;
    bridge.stop.cancel();
    bridge.tasks.close();
    drop(client);
    soon(bridge.tasks.wait()).await;
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn what_is_rejected_is_told_and_not_done() {
    for (kind, operation) in [
        (EventKind::Send, "send"),
        (EventKind::Publish, "publish"),
        (EventKind::Register, "register"),
        (EventKind::Unregister, "unregister"),
    ] {
        let bridge = Bridge::hooked(rejecting(kind)).await;
        let mut consumer = bridge.bus.consumer("a");
        let mut client = bridge.client().await;
        let envelope = json!({"type": operation, "address": "a", "body": 1, "receipt": "r"});
        let refused = client.ask(envelope).await;
        assert_eq!((&refused["message"], &refused["address"]), (&json!(REJECTED), &json!("r")));
        client.settle().await;
        bridge.bus.publish("a", &2).unwrap();
        client.settle().await;
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), "2", "{operation}");
    }
}

#[tokio::test]
async fn a_message_that_is_rejected_on_its_way_out_is_dropped_in_silence() {
    let bridge = Bridge::hooked(|event: BridgeEvent| {
        let is_secret = event.message().is_some_and(|message| message.body.as_json() == "1");
        ready(match event.kind() {
            EventKind::Receive if is_secret => event.reject(),
            _ => event.accept(),
        })
    })
    .await;
    let mut client = bridge.client().await;
    client.register("a").await;
    bridge.bus.publish("a", &1).unwrap();
    bridge.bus.publish("a", &2).unwrap();
    assert_eq!(client.next().await["body"], 2);
    let error = soon(bridge.bus.request("a", &1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    client.settle().await;
}

#[tokio::test]
async fn an_envelope_whose_address_is_taken_away_has_none() {
    let bridge = Bridge::hooked(|mut event: BridgeEvent| {
        if let Some(message) = event.message_mut() {
            message.address = None;
        }
        ready(event.accept())
    })
    .await;
    let mut client = bridge.client().await;
    for operation in ["send", "publish", "register", "unregister"] {
        client.send(json!({"type": operation, "address": "a"})).await;
        assert_eq!(client.refusal().await, "missing_address", "{operation}");
    }
}

#[tokio::test]
async fn the_rewritten_envelope_is_what_goes_on_and_what_the_rules_are_asked_about() {
    let rule = [Permitted::address("inner.open")];
    let rules = BridgeOptions {
        inbound_permitted: rule.to_vec(),
        outbound_permitted: rule.to_vec(),
        ..BridgeOptions::default()
    };
    let hook = |mut event: BridgeEvent| {
        if event.kind() != EventKind::Receive
            && let Some(message) = event.message_mut()
        {
            let address = message.address.take().unwrap_or_default();
            message.address = Some(format!("inner.{address}").into());
            message.headers.append("by", "hook").unwrap();
        }
        ready(event.accept())
    };
    let bridge = Bridge::beside(rules, TcpOptions::default(), None, |builder| builder.hook(hook));
    let bridge = bridge.await;
    let mut consumer = bridge.bus.consumer("inner.open");
    let mut client = bridge.client().await;
    for operation in ["send", "publish"] {
        client.send(json!({"type": operation, "address": "open", "body": 1})).await;
        let message = soon(consumer.recv()).await.unwrap();
        assert_eq!(message.headers().get("by"), Some("hook"));
    }
    for operation in ["send", "register"] {
        client.send(json!({"type": operation, "address": "closed"})).await;
        assert_eq!(client.refusal().await, "access_denied");
    }
    client.send(json!({"type": "register", "address": "open", "receipt": "r"})).await;
    assert_eq!(client.next().await["address"], "r");
    bridge.bus.publish("inner.open", &7).unwrap();
    let received = client.next().await;
    assert_eq!((&received["address"], &received["body"]), (&json!("inner.open"), &json!(7)));
}

#[tokio::test]
async fn a_reply_address_that_the_hook_makes_too_long_is_refused() {
    let bridge = Bridge::hooked(|mut event: BridgeEvent| {
        if let Some(message) = event.message_mut() {
            message.reply_address = Some("r".repeat(201).into());
        }
        ready(event.accept())
    })
    .await;
    let mut consumer = bridge.bus.consumer("a");
    let mut client = bridge.client().await;
    client.send(json!({"type": "send", "address": "a", "replyAddress": "r"})).await;
    assert_eq!(client.refusal().await, "invalid_reply_address");
    bridge.bus.publish("a", &2).unwrap();
    assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), "2");
}

#[tokio::test]
async fn messages_and_replies_are_rewritten_on_their_way_out() {
    let bridge = Bridge::hooked(|mut event: BridgeEvent| {
        if event.kind() == EventKind::Receive
            && let Some(message) = event.message_mut()
        {
            message.body = Body::from_text("seen");
        }
        ready(event.accept())
    })
    .await;
    let mut client = bridge.client().await;
    client.register("a").await;
    bridge.bus.publish("a", &1).unwrap();
    let message =
        json!({"type": "message", "address": "a", "headers": {}, "body": "seen", "send": false});
    assert_eq!(client.next().await, message);
    bridge.bus.consumer_fn("ask", |message| async move {
        message.reply(&1).ok();
    });
    let request = json!({"type": "send", "address": "ask", "replyAddress": "r"});
    let reply =
        json!({"type": "message", "address": "r", "headers": {}, "body": "seen", "send": true});
    assert_eq!(client.ask(request).await, reply);
}

#[tokio::test]
async fn the_raw_text_shows_fields_of_the_applications_own() {
    let (log, mut seen) = mpsc::unbounded_channel();
    let bridge = Bridge::hooked(move |event: BridgeEvent| {
        log.send(event.raw().map(str::to_owned)).ok();
        ready(event.accept())
    })
    .await;
    let mut client = bridge.client().await;
    assert_eq!(soon(seen.recv()).await.unwrap(), None);
    let text = r#"{"type":"publish","address":"a","trace":"x1"}"#;
    client.send_text(text).await;
    assert_eq!(soon(seen.recv()).await.unwrap().as_deref(), Some(text));
}

#[tokio::test]
async fn what_is_sent_when_a_registration_stands_reaches_the_client() {
    let bus = Arc::new(OnceLock::<Bus>::new());
    let inner = Arc::clone(&bus);
    let bridge = Bridge::hooked(move |event: BridgeEvent| {
        if event.kind() == EventKind::Registered {
            inner.get().unwrap().publish(event.address(), "welcome").unwrap();
        }
        ready(event.accept())
    })
    .await;
    bus.set(bridge.bus.clone()).unwrap();
    let mut client = bridge.client().await;
    for number in 0..20 {
        let address = format!("a.{number}");
        client.send(json!({"type": "register", "address": address})).await;
        let welcome = client.next().await;
        assert_eq!((&welcome["address"], &welcome["body"]), (&json!(address), &json!("welcome")));
    }
}

#[tokio::test]
async fn a_hook_answers_and_fails_requests_without_the_bus() {
    let bridge = Bridge::hooked(|event: BridgeEvent| {
        ready(match (event.kind(), event.address()) {
            (EventKind::Send, "time") => event.answer("now"),
            (EventKind::Send, "never") => event.fail(7, "no"),
            (EventKind::Receive, "client") => event.answer("for the client"),
            _ => event.accept(),
        })
    })
    .await;
    let mut client = bridge.client().await;
    let asked = client.ask(json!({"type": "send", "address": "time", "replyAddress": "r"})).await;
    let answer =
        json!({"type": "message", "address": "r", "headers": {}, "body": "now", "send": true});
    assert_eq!(asked, answer);
    let receipt = client.ask(json!({"type": "send", "address": "time", "receipt": "s"})).await;
    assert_eq!((&receipt["address"], receipt.get("body")), (&json!("s"), None));
    let failed = json!({
        "type": "err", "address": "r", "sourceAddress": "never", "failureCode": 7,
        "failureType": "RECIPIENT_FAILURE", "message": "no",
    });
    let request = json!({"type": "send", "address": "never", "replyAddress": "r"});
    assert_eq!(client.ask(request).await, failed);
    client.send(json!({"type": "send", "address": "never"})).await;
    assert_eq!(client.refusal().await, REJECTED);
    client.register("client").await;
    let reply = soon(bridge.bus.request("client", &1)).await.unwrap();
    assert_eq!(reply.body().as_json(), "\"for the client\"");
    client.settle().await;
}

#[tokio::test]
async fn a_hook_that_panics_counts_as_one_that_rejects() {
    let bridge = Bridge::hooked(|event: BridgeEvent| async move {
        assert_ne!(event.address(), "bad", "a mistake of the application");
        event.accept()
    })
    .await;
    let mut client = bridge.client().await;
    let request = json!({"type": "send", "address": "bad", "replyAddress": "r"});
    let refused = client.ask(request).await;
    assert_eq!((&refused["message"], &refused["address"]), (&json!(REJECTED), &json!("r")));
    client.settle().await;
}

#[tokio::test]
async fn an_idle_client_that_the_hook_will_not_let_go_is_told_each_time() {
    let (hook, mut events) = noting_and(|event| match event.kind() {
        EventKind::Idle => event.reject(),
        _ => event.accept(),
    });
    let impatient = TcpOptions { idle_timeout_ms: 50, ..TcpOptions::default() };
    let bridge = Bridge::hooked_with(impatient, None, |builder| builder.hook(hook)).await;
    let mut client = bridge.client().await;
    assert_eq!(client.refusal().await, REJECTED);
    assert_eq!(client.refusal().await, REJECTED);
    expect(&mut events, &["SOCKET_CREATED", "SOCKET_IDLE", "SOCKET_IDLE"]).await;
}

#[tokio::test]
async fn an_idle_client_is_closed_when_the_hook_lets_it_go() {
    let (hook, mut events) = noting();
    let impatient = TcpOptions { idle_timeout_ms: 50, ..TcpOptions::default() };
    let bridge = Bridge::hooked_with(impatient, None, |builder| builder.hook(hook)).await;
    let mut client = bridge.client().await;
    client.ended().await;
    drop(client);
    expect(&mut events, &["SOCKET_CREATED", "SOCKET_IDLE", "SOCKET_CLOSED"]).await;
}

#[tokio::test]
async fn a_connection_at_fault_and_one_at_the_end_of_the_server_both_end_as_closed() {
    let (hook, mut events) = noting();
    let bridge = Bridge::hooked(hook).await;
    let mut client = bridge.client().await;
    client.write(&u32::MAX.to_be_bytes()).await;
    assert_eq!(client.refusal().await, "invalid_frame_length");
    client.ended().await;
    drop(client);
    expect(&mut events, &["SOCKET_CREATED", "SOCKET_ERROR", "SOCKET_CLOSED"]).await;
    let mut client = bridge.client().await;
    client.register("a").await;
    bridge.stop.cancel();
    client.ended().await;
    drop(client);
    expect(&mut events, &["SOCKET_CREATED", "REGISTER a", "REGISTERED a", "SOCKET_PING"]).await;
    expect(&mut events, &["UNREGISTER a", "SOCKET_CLOSED"]).await;
}

#[tokio::test]
async fn a_hook_that_never_decides_counts_as_one_that_rejects() {
    let (hook, _gate) = gated(EventKind::Send);
    let patience = Duration::from_millis(50);
    let bridge = Bridge::hooked_with(TcpOptions::default(), None, |builder| {
        builder.hook(hook).hook_timeout(patience)
    })
    .await;
    let mut client = bridge.client().await;
    let refused = client.ask(json!({"type": "send", "address": "slow", "replyAddress": "r"})).await;
    assert_eq!((&refused["message"], &refused["address"]), (&json!(REJECTED), &json!("r")));
}
