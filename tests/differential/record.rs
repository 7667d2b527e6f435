//! Records what a reference says, which `reference/run.sh` has started:
//!
//! ```text
//! cargo run -p trolleybus-tests --example record -- 5.1.6 sockjs 127.0.0.1:PORT
//! cargo run -p trolleybus-tests --example record -- 5.0.8 tcp open PORT default PORT rules PORT
//! ```
#![expect(clippy::unwrap_used, reason = "a program for those who work on the tests")]

use trolleybus_tests::support;

mod carrier;
mod conversation;
mod talk;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::carrier::Kind;
use crate::conversation::{Conversations, load, path};
use crate::talk::{Talk, Targets};

const PAUSE: Duration = Duration::from_millis(150);

async fn record(version: &str, kind: Kind, targets: Targets) {
    let mut recorded = BTreeMap::new();
    for conversation in load::<Conversations>(kind.conversations()).0 {
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

fn sockjs_targets(addr: SocketAddr) -> Targets {
    let conversations = load::<Conversations>(Kind::Raw.conversations()).0;
    let mut names: Vec<String> = conversations.into_iter().map(|one| one.server).collect();
    names.push("open".to_owned());
    names.into_iter().map(|name| (name.clone(), (addr, format!("/{name}")))).collect()
}

fn tcp_targets(words: &[&str]) -> Targets {
    let target = |pair: &[&str]| {
        let addr = format!("127.0.0.1:{}", pair[1]).parse().unwrap();
        (pair[0].to_owned(), (addr, String::new()))
    };
    words.chunks(2).map(target).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [version, "sockjs", addr] => {
            let targets = sockjs_targets(addr.parse().unwrap());
            record(version, Kind::WebSocket, targets.clone()).await;
            record(version, Kind::Raw, targets).await;
        }
        [version, "tcp", ref servers @ ..] => {
            record(version, Kind::Tcp, tcp_targets(servers)).await;
        }
        _ => panic!("record VERSION sockjs ADDRESS | record VERSION tcp (NAME PORT)..."),
    }
}
