//! What a hook sees and may decide.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;
use trolleybus::bridge::{
    BridgeEvent, BridgeHook, BridgeOptions, ClientKind, EventKind, Hooking, Permitted,
};
use trolleybus::{BusMessage as _, ErrorKind, EventBus as _};

use crate::client::{Server, open};
use crate::support::hooks::{next, noting, noting_and, rejecting};
use crate::support::soon;
use crate::support::websocket::Client as WebSocket;

#[tokio::test]
async fn every_event_of_a_conversation_is_seen_in_order() {
    let (hook, mut events) = noting();
    let server = Server::hooked(hook).await;
    let mut client = server.client().await;
    client.send(json!({"type": "ping"})).await;
    client.send(json!({"type": "register", "address": "a"})).await;
    client.send(json!({"type": "register", "address": "b"})).await;
    client.send(json!({"type": "publish", "address": "a", "body": 1})).await;
    assert_eq!(client.receive().await["body"], 1);
    client.send(json!({"type": "send", "address": "nobody"})).await;
    client.send(json!({"type": "unregister", "address": "a"})).await;
    client.settle().await;
    drop(client);
    for expected in [
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
        "UNREGISTER b",
        "SOCKET_CLOSED",
    ] {
        assert_eq!(next(&mut events).await, expected);
    }
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_new_socket_is_told_about_before_anything_else_and_may_be_written_to() {
    let server = Server::hooked(|event: BridgeEvent| async move {
        if event.kind() == EventKind::Created {
            assert!(event.message().is_none() && event.raw().is_none());
            assert!(event.client().principal().is_none());
            let transport = event.socket().unwrap().info().transport();
            assert_eq!(event.client().kind(), ClientKind::SockJs);
            event.client().send(&json!({"event": transport.as_str()}).to_string()).unwrap();
        }
        event.accept()
    })
    .await;
    let mut client = server.client().await;
    assert_eq!(client.receive().await, json!({"event": "websocket"}));
}

#[tokio::test]
async fn a_rejected_socket_is_closed_and_never_heard_of_again() {
    let (hook, mut events) = noting_and(BridgeEvent::reject);
    let server = Server::hooked(hook).await;
    let mut client = server.client().await;
    assert_eq!(client.socket.text().await, "c[3007,\"Rejected\"]");
    assert_eq!(next(&mut events).await, "SOCKET_CREATED");
    drop(client);
    server.bridge.drain(trolleybus::sockjs::Close::DRAINING).await;
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
        let server = Server::hooked(rejecting(kind)).await;
        let mut consumer = server.bus.consumer("a");
        let mut client = server.client().await;
        client.send(json!({"type": operation, "address": "a", "body": 1, "receipt": "r"})).await;
        let refused = client.receive().await;
        assert_eq!((&refused["body"], &refused["address"]), (&json!("rejected"), &json!("r")));
        client.settle().await;
        server.bus.publish("a", &2).unwrap();
        client.settle().await;
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), "2", "{operation}");
    }
}

#[tokio::test]
async fn a_message_that_is_rejected_on_its_way_out_is_dropped_in_silence() {
    let server = Server::hooked(|event: BridgeEvent| async move {
        let is_secret = event.message().is_some_and(|message| message.body.as_json() == "1");
        match event.kind() {
            EventKind::Receive if is_secret => event.reject(),
            _ => event.accept(),
        }
    })
    .await;
    let mut client = server.client().await;
    client.register("a").await;
    server.bus.publish("a", &1).unwrap();
    server.bus.publish("a", &2).unwrap();
    assert_eq!(client.receive().await["body"], 2);
    let error = server.bus.request("a", &1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    client.settle().await;
}

#[tokio::test]
async fn an_envelope_whose_address_is_taken_away_has_none() {
    let server = Server::hooked(|mut event: BridgeEvent| async move {
        if let Some(message) = event.message_mut() {
            message.address = None;
        }
        event.accept()
    })
    .await;
    let mut client = server.client().await;
    for operation in ["send", "publish", "register", "unregister"] {
        client.send(json!({"type": operation, "address": "a"})).await;
        assert_eq!(client.refusal().await, "missing_address", "{operation}");
    }
}

#[tokio::test]
async fn the_rewritten_envelope_is_what_goes_on_and_what_the_rules_are_asked_about() {
    let options = BridgeOptions::new()
        .permit_inbound(Permitted::address("inner.open"))
        .permit_outbound(Permitted::address("inner.open"));
    let server = Server::build(options, |builder| {
        builder.hook(|mut event: BridgeEvent| async move {
            if event.kind() != EventKind::Receive
                && let Some(message) = event.message_mut()
            {
                let address = message.address.take().unwrap_or_default();
                message.address = Some(format!("inner.{address}").into());
                message.headers.append("by", "hook").unwrap();
            }
            event.accept()
        })
    })
    .await;
    let mut consumer = server.bus.consumer("inner.open");
    let mut client = server.client().await;
    for operation in ["send", "publish"] {
        client.send(json!({"type": operation, "address": "open", "body": 1})).await;
        let message = soon(consumer.recv()).await.unwrap();
        assert_eq!(message.headers().get("by"), Some("hook"));
    }
    client.send(json!({"type": "send", "address": "closed", "body": 1})).await;
    assert_eq!(client.refusal().await, "access_denied");
    client.send(json!({"type": "register", "address": "closed"})).await;
    assert_eq!(client.refusal().await, "access_denied");
    client.send(json!({"type": "register", "address": "open"})).await;
    client.settle().await;
    server.bus.publish("inner.open", &7).unwrap();
    let expected = json!({"type": "rec", "address": "inner.open", "body": 7});
    assert_eq!(client.receive().await, expected);
}

#[tokio::test]
async fn messages_and_replies_are_rewritten_on_their_way_out() {
    let server = Server::hooked(|mut event: BridgeEvent| async move {
        if event.kind() == EventKind::Receive
            && let Some(message) = event.message_mut()
        {
            message.body = trolleybus::Body::from_text("seen");
        }
        event.accept()
    })
    .await;
    let mut client = server.client().await;
    client.register("a").await;
    server.bus.publish("a", &1).unwrap();
    assert_eq!(client.text().await, r#"{"type":"rec","address":"a","body":"seen"}"#);
    server.bus.consumer_fn("ask", |message| async move {
        message.reply(&1).ok();
    });
    client.send(json!({"type": "send", "address": "ask", "replyAddress": "r"})).await;
    assert_eq!(client.text().await, r#"{"type":"rec","address":"r","body":"seen"}"#);
}

#[tokio::test]
async fn the_raw_text_shows_fields_of_the_applications_own() {
    let (log, mut seen) = mpsc::unbounded_channel();
    let server = Server::hooked(move |event: BridgeEvent| {
        log.send(event.raw().map(str::to_owned)).ok();
        std::future::ready(event.accept())
    })
    .await;
    let mut client = server.client().await;
    assert_eq!(soon(seen.recv()).await.unwrap(), None);
    let text = r#"{"type":"publish","address":"a","trace":"x1"}"#;
    client.send_text(text).await;
    assert_eq!(soon(seen.recv()).await.unwrap().as_deref(), Some(text));
}

#[tokio::test]
async fn what_is_sent_when_a_registration_stands_reaches_the_client() {
    let bus = Arc::new(std::sync::OnceLock::<trolleybus::Bus>::new());
    let inner = Arc::clone(&bus);
    let server = Server::hooked(move |event: BridgeEvent| {
        let bus = Arc::clone(&inner);
        async move {
            if event.kind() == EventKind::Registered {
                bus.get().unwrap().publish(event.address(), "welcome").unwrap();
            }
            event.accept()
        }
    })
    .await;
    bus.set(server.bus.clone()).unwrap();
    let mut client = server.client().await;
    for number in 0..20 {
        let address = format!("a.{number}");
        client.send(json!({"type": "register", "address": address})).await;
        let welcome = json!({"type": "rec", "address": address, "body": "welcome"});
        assert_eq!(client.receive().await, welcome);
    }
}

#[tokio::test]
async fn a_hook_answers_and_fails_requests_without_the_bus() {
    let server = Server::hooked(|event: BridgeEvent| async move {
        match (event.kind(), event.address()) {
            (EventKind::Send, "time") => event.answer("now"),
            (EventKind::Send, "never") => event.fail(7, "no"),
            (EventKind::Receive, "client") => event.answer("for the client"),
            _ => event.accept(),
        }
    })
    .await;
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "time", "replyAddress": "r"})).await;
    assert_eq!(client.receive().await, json!({"type": "rec", "address": "r", "body": "now"}));
    client.send(json!({"type": "send", "address": "time", "receipt": "s"})).await;
    assert_eq!(client.receive().await, json!({"type": "rec", "address": "s", "body": null}));
    client.send(json!({"type": "send", "address": "never", "replyAddress": "r"})).await;
    let failed = json!({
        "type": "err", "address": "r", "failureCode": 7, "failureType": "RECIPIENT_FAILURE",
        "message": "no",
    });
    assert_eq!(client.receive().await, failed);
    client.register("client").await;
    let reply = soon(server.bus.request("client", &1)).await.unwrap();
    assert_eq!(reply.body().as_json(), "\"for the client\"");
    client.settle().await;
}

#[tokio::test]
async fn a_hook_that_panics_counts_as_one_that_rejects() {
    let server = Server::hooked(|event: BridgeEvent| async move {
        assert_ne!(event.address(), "bad", "a mistake of the application");
        event.accept()
    })
    .await;
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "bad", "replyAddress": "r"})).await;
    let refused = client.receive().await;
    assert_eq!((&refused["body"], &refused["address"]), (&json!("rejected"), &json!("r")));
    client.settle().await;
}

/// Sees pings and nothing else.
struct PingsOnly(mpsc::UnboundedSender<EventKind>);

impl BridgeHook for PingsOnly {
    fn handle(&self, event: BridgeEvent) -> Hooking<'_> {
        self.0.send(event.kind()).ok();
        Box::pin(async { event.reject() })
    }

    fn wants(&self, kind: EventKind) -> bool {
        kind == EventKind::Ping
    }
}

#[tokio::test]
async fn a_hook_sees_only_what_it_wants_and_a_ping_cannot_be_refused() {
    let (log, mut events) = mpsc::unbounded_channel();
    let server = Server::hooked(PingsOnly(log)).await;
    let mut client = server.client().await;
    client.register("a").await;
    client.send(json!({"type": "ping"})).await;
    client.settle().await;
    assert_eq!(soon(events.recv()).await, Some(EventKind::Ping));
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_socket_that_the_hook_will_not_let_go_is_told_each_time() {
    let impatient = BridgeOptions { ping_timeout: std::time::Duration::from_millis(50), ..open() };
    let (hook, mut events) = noting_and(|event| match event.kind() {
        EventKind::Idle => event.reject(),
        _ => event.accept(),
    });
    let server = Server::build(impatient, |builder| builder.hook(hook)).await;
    let mut client = server.client().await;
    assert_eq!(client.refusal().await, "rejected");
    assert_eq!(client.refusal().await, "rejected");
    for expected in ["SOCKET_CREATED", "SOCKET_IDLE", "SOCKET_IDLE"] {
        assert_eq!(next(&mut events).await, expected);
    }
}

#[tokio::test]
async fn an_idle_socket_is_closed_when_the_hook_lets_it_go() {
    let impatient = BridgeOptions { ping_timeout: std::time::Duration::from_millis(50), ..open() };
    let (hook, mut events) = noting();
    let server = Server::build(impatient, |builder| builder.hook(hook)).await;
    let mut client = server.client().await;
    assert_eq!(client.socket.text().await, "c[3000,\"Go away!\"]");
    for expected in ["SOCKET_CREATED", "SOCKET_IDLE", "SOCKET_CLOSED"] {
        assert_eq!(next(&mut events).await, expected);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_off_and_one_that_is_at_fault_both_end_as_closed() {
    let (hook, mut events) = noting();
    let server = Server::hooked(hook).await;
    let cut = server.client().await;
    assert_eq!(next(&mut events).await, "SOCKET_CREATED");
    drop(cut);
    assert_eq!(next(&mut events).await, "SOCKET_CLOSED");
    let mut socket = WebSocket::open(server.addr, "/eventbus/000/other/websocket").await;
    assert_eq!(socket.text().await, "o");
    socket.send("no array").await;
    for expected in ["SOCKET_CREATED", "SOCKET_ERROR", "SOCKET_CLOSED"] {
        assert_eq!(next(&mut events).await, expected);
    }
}
