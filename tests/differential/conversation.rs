//! The format of the conversations.

use std::path::PathBuf;

use serde_json::{Value, json};

/// What clients say, step by step, to the server `server`.
pub(crate) struct Conversation {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) steps: Vec<Step>,
}

/// What one client does.
pub(crate) struct Step {
    pub(crate) who: String,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    /// Says this text, in which `$reply1` stands for the first reply address that anybody heard.
    Say(String),
    /// Sends these bytes as they are, where the carrier has frames of its own.
    Bytes(Vec<u8>),
    /// Waits for so many messages.
    Read(usize),
    /// Waits until the server has handled all that was said, and hears what it has to say.
    Settle,
    /// Leaves.
    Close,
    /// Listens until the server ends the connection.
    Ended,
}

/// A file beside this one.
pub(crate) fn load<T: From<Value>>(name: &str) -> T {
    let text =
        std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    T::from(serde_json::from_str(&text).unwrap())
}

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("differential").join(name)
}

impl From<Value> for Conversation {
    fn from(value: Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        let steps = value["steps"].as_array().unwrap().iter().map(step).collect();
        Self { name: text("name"), server: text("server"), steps }
    }
}

impl FromIterator<Value> for Conversations {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self(values.into_iter().map(Conversation::from).collect())
    }
}

/// All of one file.
pub(crate) struct Conversations(pub(crate) Vec<Conversation>);

impl From<Value> for Conversations {
    fn from(value: Value) -> Self {
        value.as_array().unwrap().iter().cloned().collect()
    }
}

fn step(step: &Value) -> Step {
    let word = |index: usize| step[index].as_str().unwrap_or_else(|| panic!("a word in {step}"));
    let number = || usize::try_from(step[2].as_u64().unwrap()).unwrap();
    let action = match word(1) {
        "send" => Action::Say(step[2].to_string()),
        "text" => Action::Say(word(2).to_owned()),
        "nested" => Action::Say(nested(number())),
        "hex" => Action::Bytes(from_hex(word(2))),
        "read" => Action::Read(number()),
        "settle" => Action::Settle,
        "close" => Action::Close,
        "ended" => Action::Ended,
        other => panic!("no such action: {other}"),
    };
    Step { who: word(0).to_owned(), action }
}

/// A request to nobody whose body is this deep.
fn nested(depth: usize) -> String {
    let body = "[".repeat(depth) + &"]".repeat(depth);
    let rest = json!({"type": "send", "address": "nobody", "replyAddress": "r"}).to_string();
    format!("{},\"body\":{body}}}", rest.strip_suffix('}').unwrap())
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}
