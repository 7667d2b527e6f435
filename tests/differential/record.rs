//! How recordings are made, from a reference that `reference/run.sh` has started:
//!
//! ```text
//! TROLLEYBUS_REFERENCE=127.0.0.1:PORT TROLLEYBUS_REFERENCE_VERSION=5.1.6 \
//!     cargo test -p trolleybus-tests --test differential record -- --ignored
//! ```
//!
//! For the TCP bridge `TROLLEYBUS_REFERENCE_TCP="open PORT default PORT rules PORT"`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::carrier::Kind;
use crate::conversation::{Conversations, load, path};
use crate::talk::{Talk, Targets};

const PAUSE: Duration = Duration::from_millis(150);

async fn record(kind: Kind, conversations: &str, targets: Targets) {
    let version = std::env::var("TROLLEYBUS_REFERENCE_VERSION").unwrap();
    let mut recorded = BTreeMap::new();
    for conversation in load::<Conversations>(conversations).0 {
        let mut talk = Talk::new(kind, targets.clone());
        talk.pause = PAUSE;
        recorded.insert(conversation.name.clone(), talk.hold(&conversation).await);
    }
    let name = format!("recorded/vertx-{version}-{}.json", kind.name());
    std::fs::write(path(&name), pretty(&recorded)).unwrap();
}

/// One line for each message.
fn pretty(recorded: &BTreeMap<String, Vec<Value>>) -> String {
    let mut text = String::from("{");
    for (index, (name, heard)) in recorded.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let lines: Vec<String> = heard.iter().map(|line| format!("\n    {line}")).collect();
        write!(text, "{comma}\n  \"{name}\": [{}]", lines.join(",")).unwrap();
    }
    text + "\n}\n"
}

fn sockjs_targets() -> Targets {
    let addr: SocketAddr = std::env::var("TROLLEYBUS_REFERENCE").unwrap().parse().unwrap();
    let conversations = load::<Conversations>("conversations.json").0;
    let mut names: Vec<String> = conversations.into_iter().map(|one| one.server).collect();
    names.push("open".to_owned());
    names.into_iter().map(|name| (name.clone(), (addr, format!("/{name}")))).collect()
}

#[tokio::test]
#[ignore = "needs a running reference"]
async fn record_sockjs() {
    record(Kind::WebSocket, "conversations.json", sockjs_targets()).await;
    record(Kind::Raw, "conversations.json", sockjs_targets()).await;
}

#[tokio::test]
#[ignore = "needs a running reference"]
async fn record_tcp() {
    let text = std::env::var("TROLLEYBUS_REFERENCE_TCP").unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let target = |pair: &[&str]| {
        let addr = format!("127.0.0.1:{}", pair[1]).parse().unwrap();
        (pair[0].to_owned(), (addr, String::new()))
    };
    let targets = words.chunks(2).map(target).collect();
    record(Kind::Tcp, "tcp.json", targets).await;
}
