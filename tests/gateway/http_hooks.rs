//! What a hook sees of calls and streams over HTTP, and may decide.

use std::future::ready;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use trolleybus::Body;
use trolleybus::access::Principal;
use trolleybus::bridge::{
    BridgeEvent, BridgeHook, BridgeOptions, ClientKind, EventKind, Permitted,
};
use trolleybus::gateway::HttpOptions;
use trolleybus::{BusMessage as _, EventBus as _};
use trolleybus_tests::support::hooks::{expect, gated, noting, noting_and, rejecting};
use trolleybus_tests::support::http::{Answer, Connection, get};
use trolleybus_tests::support::soon;

use super::http::Server;
use super::tokens::believing;

fn open() -> BridgeOptions {
    BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all())
}

async fn hooked(hook: impl BridgeHook) -> Server {
    Server::hooked(open(), HttpOptions::default(), None, hook).await
}

fn word(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    (answer.status(), body["body"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_message_is_an_event_and_so_is_the_answer() {
    let (hook, mut events) = noting();
    let server = hooked(hook).await;
    server.bus.consumer_fn("a", |message| async move {
        message.reply(&1).ok();
    });
    for (operation, status) in [("publish", 204), ("send", 204), ("request", 200)] {
        assert_eq!(server.post(&format!("{operation}/a"), "", "1").await.status(), status);
    }
    expect(&mut events, &["PUBLISH a", "SEND a", "SEND a", "RECEIVE http.3"]).await;
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn an_event_tells_who_calls_and_whether_an_answer_is_awaited() {
    let (log, mut seen) = mpsc::unbounded_channel();
    let hook = move |event: BridgeEvent| {
        let client = event.client();
        assert!(event.socket().is_none() && event.raw().is_none() && client.send("{}").is_err());
        assert_eq!(client.kind(), ClientKind::Http);
        let principal = client.principal();
        let subject = principal.as_deref().and_then(Principal::subject).map(str::to_owned);
        let is_request = event.message().unwrap().reply_address.is_some();
        log.send((client.number(), subject, is_request)).ok();
        ready(event.reject())
    };
    let options = HttpOptions::default();
    let server = Server::hooked(open(), options, Some(believing(false)), hook).await;
    server.post("send/a", "Authorization: Bearer ada\r\n", "1").await;
    server.post("request/a", "", "1").await;
    assert_eq!(soon(seen.recv()).await, Some((1, Some("ada".to_owned()), false)));
    assert_eq!(soon(seen.recv()).await, Some((2, None, true)));
}

#[tokio::test]
async fn what_is_rejected_is_told_and_not_done() {
    for (kind, operation) in
        [(EventKind::Send, "send"), (EventKind::Send, "request"), (EventKind::Publish, "publish")]
    {
        let server = hooked(rejecting(kind)).await;
        let consumer = server.bus.consumer("a");
        let refused = server.post(&format!("{operation}/a"), "", "1").await;
        assert_eq!(word(&refused), (403, "rejected".to_owned()), "{operation}");
        assert_eq!((consumer.buffered(), server.bus.stats().sent), (0, 0));
    }
}

#[tokio::test]
async fn the_rewritten_message_is_what_goes_on_and_what_the_rules_are_asked_about() {
    let rules = BridgeOptions::new().permit_inbound(Permitted::address("inner.open"));
    let hook = |mut event: BridgeEvent| {
        if event.address() == "none" {
            event.message_mut().unwrap().address = None;
        } else if let Some(message) = event.message_mut() {
            let address = message.address.take().unwrap_or_default();
            message.address = Some(format!("inner.{address}").into());
            message.body = Body::from_text("seen");
            message.headers.append("by", "hook").unwrap();
        }
        ready(event.accept())
    };
    let server = Server::hooked(rules, HttpOptions::default(), None, hook).await;
    let mut consumer = server.bus.consumer("inner.open");
    for operation in ["send", "publish"] {
        assert_eq!(server.post(&format!("{operation}/open"), "", "1").await.status(), 204);
        let message = soon(consumer.recv()).await.unwrap();
        assert_eq!(message.body().as_json(), "\"seen\"");
        assert_eq!(message.headers().get("by"), Some("hook"));
    }
    let refused = server.post("send/closed", "", "1").await;
    assert_eq!(word(&refused), (403, "access_denied".to_owned()));
    let refused = server.post("send/none", "", "1").await;
    assert_eq!(word(&refused), (400, "missing_address".to_owned()));
}

#[tokio::test]
async fn a_hook_answers_and_fails_without_the_bus() {
    let server = hooked(|event: BridgeEvent| {
        ready(match event.address() {
            "time" => event.answer("now"),
            _ => event.fail(7, "no"),
        })
    })
    .await;
    for operation in ["send", "publish"] {
        assert_eq!(server.post(&format!("{operation}/time"), "", "1").await.status(), 204);
    }
    let answered = server.post("request/time", "", "1").await;
    assert_eq!((answered.status(), answered.body.as_str()), (200, "\"now\""));
    let failure = json!({"failureCode": 7, "failureType": "RECIPIENT_FAILURE", "message": "no"});
    for operation in ["send", "publish", "request"] {
        let failed = server.post(&format!("{operation}/never"), "", "1").await;
        assert_eq!(failed.status(), 502, "{operation}");
        assert_eq!(serde_json::from_str::<Value>(&failed.body).unwrap(), failure);
    }
}

#[tokio::test]
async fn an_answer_is_rewritten_or_rejected_on_its_way_out() {
    let server = hooked(|mut event: BridgeEvent| {
        if event.kind() != EventKind::Receive {
            return ready(event.accept());
        }
        let message = event.message_mut().unwrap();
        if message.body.as_json() == "\"secret\"" {
            return ready(event.reject());
        }
        message.body = Body::from_text("seen");
        message.headers.append("by", "hook").unwrap();
        ready(event.accept())
    })
    .await;
    server.bus.consumer_fn("echo", |message| async move {
        message.reply(message.body().clone()).unwrap();
    });
    let answered = server.post("request/echo", "", "1").await;
    assert_eq!((answered.status(), answered.body.as_str()), (200, "\"seen\""));
    assert_eq!(answered.header("x-bus-by"), Some("hook"));
    let refused = server.post("request/echo", "", "\"secret\"").await;
    assert_eq!(word(&refused), (403, "rejected".to_owned()));
}

#[tokio::test]
async fn a_hook_that_panics_counts_as_one_that_rejects() {
    let server = hooked(|event: BridgeEvent| async move {
        assert_ne!(event.address(), "bad", "a mistake of the application");
        event.accept()
    })
    .await;
    let _consumer = server.bus.consumer("good");
    let refused = server.post("send/bad", "", "1").await;
    assert_eq!(word(&refused), (403, "rejected".to_owned()));
    assert_eq!(server.post("send/good", "", "1").await.status(), 204);
}

#[tokio::test]
async fn calls_that_wait_for_the_hook_are_bounded() {
    let (hook, gate) = gated(EventKind::Send);
    let (log, mut seen) = mpsc::unbounded_channel();
    let hook = Arc::new(hook);
    let noted = move |event: BridgeEvent| {
        log.send(()).ok();
        let hook = Arc::clone(&hook);
        async move { hook.handle(event).await }
    };
    let options = HttpOptions { max_requests: 1, ..HttpOptions::default() };
    let server = Server::hooked(open(), options, None, noted).await;
    let _consumer = server.bus.consumer("slow");
    let mut first = Connection::open(server.addr).await;
    first.request("POST", "/api/send/slow", "", "1").await;
    soon(seen.recv()).await.unwrap();
    let refused = server.post("send/slow", "", "2").await;
    assert_eq!(word(&refused), (429, "max_handlers_reached".to_owned()));
    gate.add_permits(1);
    assert_eq!(first.answer().await.status(), 204);
}

async fn subscribe(server: &Server, address: &str) -> Connection {
    let mut reader = Connection::open(server.addr).await;
    reader.request("GET", &format!("/api/subscribe/{address}"), "", "").await;
    assert_eq!(reader.head().await.status, 200);
    assert_eq!(reader.chunk().await.as_deref(), Some(": subscribed\n\n"));
    reader
}

#[tokio::test]
async fn a_stream_is_a_client_from_its_beginning_to_its_end() {
    let (hook, mut events) = noting();
    let server = hooked(hook).await;
    let mut reader = subscribe(&server, "news").await;
    expect(&mut events, &["SOCKET_CREATED", "REGISTER news", "REGISTERED news"]).await;
    server.bus.publish("news", "goal").unwrap();
    assert!(reader.chunk().await.unwrap().contains("goal"));
    expect(&mut events, &["RECEIVE news"]).await;
    drop(reader);
    expect(&mut events, &["UNREGISTER news", "SOCKET_CLOSED"]).await;
    assert_eq!(server.bus.stats().registrations, 0);
}

#[tokio::test]
async fn a_stream_that_is_rejected_is_none() {
    let (hook, mut events) = noting_and(BridgeEvent::reject);
    let server = hooked(hook).await;
    let refused = get(server.addr, "/api/subscribe/news").await;
    assert_eq!(word(&refused), (403, "rejected".to_owned()));
    expect(&mut events, &["SOCKET_CREATED"]).await;
    assert!(events.try_recv().is_err());
    let (hook, mut events) = noting_and(|event| match event.kind() {
        EventKind::Register => event.reject(),
        _ => event.accept(),
    });
    let server = hooked(hook).await;
    let refused = get(server.addr, "/api/subscribe/news").await;
    assert_eq!(word(&refused), (403, "rejected".to_owned()));
    assert_eq!(server.bus.stats().registrations, 0);
    expect(&mut events, &["SOCKET_CREATED", "REGISTER news", "SOCKET_CLOSED"]).await;
}

#[tokio::test]
async fn a_hook_takes_care_of_a_stream_by_there_being_none() {
    let server = hooked(|event: BridgeEvent| {
        ready(match (event.kind(), event.address()) {
            (EventKind::Register, "quiet") => event.answer(&1),
            (EventKind::Register, "never") => event.fail(7, "no"),
            _ => event.accept(),
        })
    })
    .await;
    assert_eq!(get(server.addr, "/api/subscribe/quiet").await.status(), 204);
    assert_eq!(get(server.addr, "/api/subscribe/never").await.status(), 502);
}

#[tokio::test]
async fn a_stream_goes_where_the_hook_sends_it_as_far_as_the_rules_permit() {
    let rules = BridgeOptions::new().permit_outbound(Permitted::address("inner.open"));
    let hook = |mut event: BridgeEvent| {
        if event.kind() == EventKind::Register
            && let Some(message) = event.message_mut()
        {
            let address = message.address.take().unwrap_or_default();
            message.address = Some(format!("inner.{address}").into());
        }
        ready(event.accept())
    };
    let server = Server::hooked(rules, HttpOptions::default(), None, hook).await;
    assert_eq!(get(server.addr, "/api/subscribe/closed").await.status(), 403);
    let mut reader = subscribe(&server, "open").await;
    server.bus.publish("inner.open", &7).unwrap();
    assert!(reader.chunk().await.unwrap().contains(r#""address":"inner.open","body":7"#));
}

#[tokio::test]
async fn messages_of_a_stream_are_rewritten_or_rejected_and_wait_in_order() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let inner = Arc::clone(&gate);
    let server = hooked(move |mut event: BridgeEvent| {
        let gate = Arc::clone(&inner);
        async move {
            if event.kind() != EventKind::Receive {
                return event.accept();
            }
            let message = event.message_mut().unwrap();
            match message.body.as_json() {
                "0" => gate.acquire().await.unwrap().forget(),
                "1" => return event.reject(),
                _ => message.body = Body::from_text("seen"),
            }
            event.accept()
        }
    })
    .await;
    let mut reader = subscribe(&server, "news").await;
    for number in 0..4 {
        server.bus.publish("news", &number).unwrap();
    }
    gate.add_permits(1);
    let mut text = String::new();
    while text.matches("event: message").count() < 3 {
        text += &reader.chunk().await.unwrap();
    }
    let bodies: Vec<_> = text.lines().filter_map(|line| line.split("\"body\":").nth(1)).collect();
    assert_eq!(bodies, ["0}", "\"seen\"}", "\"seen\"}"]);
}

#[tokio::test]
async fn what_the_hook_of_a_stream_does_not_keep_up_with_is_dropped_and_counted() {
    let (hook, gate) = gated(EventKind::Receive);
    let server = hooked(hook).await;
    let mut reader = subscribe(&server, "slow").await;
    for number in 0..1100 {
        server.bus.publish("slow", &number).unwrap();
    }
    assert_eq!(reader.chunk().await.as_deref(), Some("event: dropped\ndata: 100\n\n"));
    gate.add_permits(1000);
    assert!(reader.chunk().await.unwrap().contains("\"body\":0}"));
    assert_eq!(server.gateway.stats().events_dropped, 100);
}
