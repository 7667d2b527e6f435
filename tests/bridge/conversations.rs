//! Recorded conversations: what a client that asks for no extension sends, and the frames that
//! Vert.x answers with, to the byte.
//!
//! The files in `conversations/` hold the steps. `${reply}` stands for the reply address that the
//! server made up last. A refusal is told as Vert.x tells it, `{"type":"err","body":"WORD"}`, with
//! just the fields added that `protocol/README.md` names.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use trolleybus::bridge::BridgeOptions;
use trolleybus::{BusMessage as _, DeliveryOptions, Error, EventBus as _, Message};
use trolleybus_protocol::codes::Refusal;

use crate::client::{Client, Server};
use crate::support::soon;

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    bridge: BridgeOptions,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    /// The client sends this text.
    Send(String),
    /// The client gets this text.
    Get(String),
    /// The client is refused with this word, and the address if there is one.
    Refused(String, Option<String>),
    /// The client gets nothing.
    Silence,
    /// The server publishes.
    Publish { address: String, body: Value, headers: Vec<(String, String)> },
    /// The server asks.
    Request { address: String, body: Value },
    /// The server's last request was answered with this body.
    Answered(Value),
    /// The server answers the answer with a further request, the reply of which is the next answer.
    AskAgain(Value),
}

struct Run {
    server: Server,
    client: Client,
    response: Option<trolleybus::Response>,
    answer: Option<Message>,
    reply: String,
}

impl Run {
    async fn start(options: BridgeOptions) -> Self {
        let server = Server::start(options).await;
        serve(&server);
        let client = server.client().await;
        Self { server, client, response: None, answer: None, reply: String::new() }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Send(text) => self.client.send_text(&text.replace("${reply}", &self.reply)).await,
            Step::Get(expected) => {
                let text = self.client.text().await;
                self.note_reply_address(&text);
                assert_eq!(text, expected.replace("${reply}", &self.reply));
            }
            Step::Refused(word, address) => {
                let text = self.client.text().await;
                assert_eq!(text, as_vertx_and_more(&word, address.as_deref()));
            }
            Step::Silence => self.client.settle().await,
            Step::Publish { address, body, headers } => {
                let options =
                    headers.iter().fold(DeliveryOptions::new(), |options, (name, value)| {
                        options.header(name.as_str(), value.as_str()).unwrap()
                    });
                self.server.bus.publish_with(address, body, options).unwrap();
            }
            Step::Request { address, body } => {
                self.response = Some(self.server.bus.request(address, body));
            }
            Step::Answered(expected) => {
                let answer = soon(self.response.take().unwrap()).await.unwrap();
                assert_eq!(answer.body().parse::<Value>().unwrap(), expected);
                self.answer = Some(answer);
            }
            Step::AskAgain(body) => {
                self.response = Some(self.answer.take().unwrap().reply_and_request(body));
            }
        }
    }

    fn note_reply_address(&mut self, text: &str) {
        let envelope: Value = serde_json::from_str(text).unwrap();
        if let Some(address) = envelope["replyAddress"].as_str() {
            assert!(address.starts_with("__vertx.reply."), "{address}");
            address.clone_into(&mut self.reply);
        }
    }
}

/// What the conversations talk to.
fn serve(server: &Server) {
    let bus = &server.bus;
    bus.consumer_fn("service.echo", |message| async move {
        let mut options = DeliveryOptions::new();
        for (name, value) in message.headers().iter() {
            options = options.header(name, value).unwrap();
        }
        message.reply_with(message.body().clone(), options).ok();
    });
    bus.consumer_fn("service.fail", |message| async move {
        message.fail(7, "no").ok();
    });
    bus.consumer_fn("service.leave", |message| async move { drop(message) });
    bus.consumer_fn("service.ask", |message| async move {
        tokio::spawn(async move {
            let answer = message.reply_and_request("really?").await;
            let Ok(answer) = answer else { return };
            answer.reply(answer.body().clone()).ok();
        });
    });
}

/// The frame of Vert.x, and behind its fields those that tell a request's callback.
fn as_vertx_and_more(word: &str, address: Option<&str>) -> String {
    let vertx = format!(r#"{{"type":"err","body":"{word}""#);
    let refusal = Refusal::from_word(word).unwrap();
    let address = address.map(|address| format!(r#","address":"{address}""#)).unwrap_or_default();
    let error = Error::refused(refusal);
    let (code, message) = (error.code(), error.message().unwrap());
    format!(
        r#"{vertx}{address},"failureCode":{code},"failureType":"ERROR","message":"{message}"}}"#
    )
}

async fn run(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bridge/conversations").join(name);
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
    let conversation: Conversation = serde_json::from_str(&text).unwrap();
    let mut run = Run::start(conversation.bridge).await;
    for (index, step) in conversation.steps.into_iter().enumerate() {
        println!("{name}, step {index}");
        run.step(step).await;
    }
    run.client.settle().await;
}

macro_rules! conversations {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            run(stringify!($name)).await;
        })*

        #[test]
        fn every_file_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bridge/conversations");
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().path().file_stem().unwrap().to_owned();
                assert!([$(stringify!($name)),*].contains(&name.to_str().unwrap()), "{name:?}");
            }
        }
    };
}

conversations! { messages requests refusals permissions serving quotas }
