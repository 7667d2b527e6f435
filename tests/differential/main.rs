//! The same conversations with our server as a real Vert.x had them: drop-in, proved frame by frame.
//!
//! | File | Holds |
//! |---|---|
//! | `conversation` | the format of `conversations.json` and `tcp.json`, and of recordings |
//! | `carrier` | clients: SockJS on a WebSocket, the raw WebSocket, length-prefixed frames on TCP |
//! | `talk` | one conversation, step by step |
//! | `servers` | our server with the rules and services that the reference was recorded with |
//! | `compare` | what counts as the same, and the intended differences |
//!
//! `record` is a program of its own: it makes the recordings.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

mod carrier;
mod compare;
mod conversation;
mod servers;
mod talk;

use carrier::Kind;
use compare::{Recording, Report};
use conversation::{Conversations, load};
use servers::Ours;
use talk::Talk;

/// What our server says in every conversation, side by side with a recording.
async fn replay(kind: Kind, recording: &str) {
    let recording: Recording = load(recording);
    let mut report = Report::new(kind);
    for conversation in load::<Conversations>(kind.conversations()).0 {
        let ours = Ours::start(kind).await;
        let heard = Talk::new(kind, ours.targets()).hold(&conversation).await;
        report.compare(&conversation.name, recording.heard(&conversation.name), &heard);
        assert!(ours.is_empty_soon().await, "{} left something on the bus", conversation.name);
    }
    report.finish();
}

#[tokio::test]
async fn sockjs_as_vertx_5() {
    replay(Kind::WebSocket, "recorded/vertx-5.1.6-websocket.json").await;
}

#[tokio::test]
async fn raw_websocket_as_vertx_5() {
    replay(Kind::Raw, "recorded/vertx-5.1.6-raw.json").await;
}

#[tokio::test]
async fn sockjs_as_vertx_4() {
    replay(Kind::WebSocket, "recorded/vertx-4.5.22-websocket.json").await;
}

#[tokio::test]
async fn tcp_as_vertx_5() {
    replay(Kind::Tcp, "recorded/vertx-5.0.8-tcp.json").await;
}
