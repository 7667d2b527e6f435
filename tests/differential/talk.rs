//! One conversation: what each client says, and all that they hear.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::carrier::{Carrier, Heard, Kind};
use crate::conversation::{Action, Conversation, Step};

/// Where a server is: address and path.
pub(crate) type Targets = HashMap<String, (SocketAddr, String)>;

/// The client of this name is on the server `open`, whatever the conversation's is.
const OUTSIDER: &str = "o";
const REPLY: &str = "__vertx.reply.";

pub(crate) struct Talk {
    kind: Kind,
    targets: Targets,
    clients: HashMap<String, Carrier>,
    /// Reply addresses in the order in which they were heard.
    replies: Vec<String>,
    heard: Vec<Value>,
    /// How long a server may take to pass a message on that it has handled.
    pub(crate) pause: Duration,
}

impl Talk {
    pub(crate) fn new(kind: Kind, targets: Targets) -> Self {
        let (clients, replies, heard) = (HashMap::new(), Vec::new(), Vec::new());
        Self { kind, targets, clients, replies, heard, pause: Duration::ZERO }
    }

    /// Everything that was heard, in the order of the steps.
    pub(crate) async fn hold(mut self, conversation: &Conversation) -> Vec<Value> {
        for step in &conversation.steps {
            self.step(&conversation.server, step).await;
        }
        for (_, client) in self.clients.drain() {
            client.close().await;
        }
        tokio::time::sleep(self.pause).await;
        self.heard
    }

    async fn step(&mut self, server: &str, Step { who, action }: &Step) {
        if !self.clients.contains_key(who) {
            let server = if who == OUTSIDER { "open" } else { server };
            let (addr, path) = &self.targets[server];
            self.clients.insert(who.clone(), Carrier::open(self.kind, *addr, path).await);
        }
        let text = match action {
            Action::Say(text) => Some(self.filled_in(text)),
            _ => None,
        };
        let client = self.clients.get_mut(who).unwrap();
        match action {
            Action::Say(_) => client.say(&text.unwrap_or_default()).await,
            Action::Bytes(bytes) => client.bytes(bytes).await,
            Action::Read(count) => {
                for _ in 0..*count {
                    self.hear(who).await;
                }
            }
            Action::Settle => self.settle(who).await,
            Action::Close => self.clients.remove(who).unwrap().close().await,
            Action::Ended => while self.hear(who).await {},
        }
    }

    fn filled_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (index, reply) in self.replies.iter().enumerate() {
            text = text.replace(&format!("$reply{}", index + 1), reply);
        }
        text
    }

    /// Notes the next message; false when there is none or it was the last.
    async fn hear(&mut self, who: &str) -> bool {
        let heard = self.clients.get_mut(who).unwrap().hear().await;
        match heard {
            Some(Heard::Text(text)) => {
                self.note(who, &text);
                true
            }
            Some(Heard::Closed(how)) => {
                self.heard.push(json!([who, {"closed": how}]));
                false
            }
            None => {
                self.heard.push(json!([who, {"silence": true}]));
                false
            }
        }
    }

    fn note(&mut self, who: &str, text: &str) {
        let envelope: Value = serde_json::from_str(text).unwrap();
        if let Some(reply) = envelope["replyAddress"].as_str()
            && reply.starts_with(REPLY)
            && !self.replies.iter().any(|known| known == reply)
        {
            self.replies.push(reply.to_owned());
        }
        let mut text = text.to_owned();
        for (index, reply) in self.replies.iter().enumerate() {
            text = text.replace(reply.as_str(), &format!("$reply{}", index + 1));
        }
        self.heard.push(json!([who, text]));
    }

    async fn settle(&mut self, who: &str) {
        tokio::time::sleep(self.pause).await;
        let (question, word) = self.kind.barrier();
        self.clients.get_mut(who).unwrap().say(question).await;
        loop {
            let heard = self.clients.get_mut(who).unwrap().hear().await;
            match heard {
                Some(Heard::Text(text)) if text.contains(word) => return,
                Some(Heard::Text(text)) => self.note(who, &text),
                Some(Heard::Closed(how)) => {
                    return self.heard.push(json!([who, {"closed": how}]));
                }
                None => return self.heard.push(json!([who, {"silence": true}])),
            }
        }
    }
}
