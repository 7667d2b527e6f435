//! Looking at the open sockets, and closing them.

use std::sync::Arc;

use serde_json::json;
use trolleybus::access::{Authenticating, Authenticator, Principal};
use trolleybus::bridge::{Authentication, SocketId};
use trolleybus::{BusMessage as _, EventBus as _, Overflow};

use crate::client::{Server, open};
use crate::support::soon;

#[derive(Debug)]
struct Anybody;

impl Authenticator for Anybody {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(std::future::ready(Ok(Principal::new(token))))
    }
}

async fn server() -> Server {
    let authentication =
        Authentication::new(Arc::new(Anybody)).credentials(|info| info.query().map(str::to_owned));
    Server::build(open(), |builder| builder.authentication(authentication)).await
}

#[tokio::test]
async fn sockets_are_listed_page_by_page_in_the_order_in_which_they_came() {
    let server = server().await;
    let mut clients = Vec::new();
    for name in ["?ada", "?bob", ""] {
        let mut client = server.client_with(name).await;
        client.settle().await;
        clients.push(client);
    }
    let subjects = |after, limit| {
        let page = server.bridge.sockets(after, limit).into_iter();
        page.map(|socket| socket.view().subject).collect::<Vec<_>>()
    };
    assert_eq!(subjects(None, 10), [Some("ada".to_owned()), Some("bob".to_owned()), None]);
    assert_eq!(subjects(None, 1), [Some("ada".to_owned())]);
    let first = server.bridge.sockets(None, 1)[0].id();
    assert_eq!(subjects(Some(first), 1), [Some("bob".to_owned())]);
    clients.clear();
    server.bridge.drain(trolleybus::sockjs::Close::DRAINING).await;
    assert!(server.bridge.sockets(None, 10).is_empty() && server.bridge.socket(first).is_none());
}

#[tokio::test]
async fn a_socket_shows_what_it_holds() {
    let server = server().await;
    let _silent = server.bus.consumer("silent");
    let mut client = server.client_with("?ada").await;
    client.register("b").await;
    let latest = json!({"type": "register", "address": "a.*", "pattern": true});
    client.send(latest).await;
    client.send(json!({"type": "send", "address": "silent", "replyAddress": "r"})).await;
    let _response = server.bus.request("b", "question");
    assert_eq!(client.receive().await["body"], "question");
    client.settle().await;
    let socket = server.bridge.sockets(None, 1).remove(0);
    let view = socket.view();
    assert_eq!((view.registrations, view.pending, view.awaited, view.envelopes), (2, 1, 1, 5));
    assert_eq!(view.transport.as_str(), "websocket");
    assert!(view.remote_addr.unwrap().ip().is_loopback());
    let registrations = socket.registrations();
    let facts: Vec<_> = registrations
        .iter()
        .map(|held| (held.address.as_str(), held.is_pattern, held.overflow))
        .collect();
    assert_eq!(facts, [("a.*", true, Overflow::Close), ("b", false, Overflow::Close)]);
    assert_eq!(server.bridge.socket(view.id).unwrap().view().subject.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_socket_is_kicked_by_its_number() {
    let server = server().await;
    let (mut kicked, mut other) = (server.client().await, server.client_with("?bob").await);
    kicked.register("a").await;
    other.settle().await;
    let id = server.bridge.sockets(None, 1)[0].id();
    assert!(server.bridge.kick(id));
    assert_eq!(kicked.socket.text().await, "c[3004,\"Kicked\"]");
    assert!(!server.bridge.kick(SocketId::from(12345)));
    other.settle().await;
}

#[tokio::test]
async fn all_sockets_of_a_subject_are_kicked_together() {
    let server = server().await;
    let mut consumer = server.bus.consumer("a");
    let mut ada = [server.client_with("?ada").await, server.client_with("?ada").await];
    let mut bob = server.client_with("?bob").await;
    for client in &mut ada {
        client.settle().await;
    }
    bob.settle().await;
    assert_eq!(server.bridge.kick_subject("ada"), 2);
    assert_eq!(server.bridge.kick_subject("nobody"), 0);
    for client in &mut ada {
        assert_eq!(client.socket.text().await, "c[3004,\"Kicked\"]");
    }
    bob.send(json!({"type": "publish", "address": "a", "body": "still here"})).await;
    assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), "\"still here\"");
}
