//! What counts as the same, and what is meant to differ.
//!
//! Envelopes are compared as JSON. Two differences are everywhere and are evened out here:
//!
//! - **Named refusals**: an `err` with a word in `body`, or over TCP in `message`, says also why, with
//!   a code, and to which request. The reference sends `type` and the word alone, so only those are
//!   compared.
//! - **Timeouts**: the text of `TIMEOUT` names a reply address, which in the reference is one of
//!   the server's own that no client ever sees, and with us the client's.
//!
//! All others are in `differences.json` and `tcp-differences.json`, each with its reason and with what we say instead; one that
//! is no more fails the test like one that is new.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::carrier::Kind;
use crate::conversation::load;

/// What was heard in every conversation, as `[who, text]` or `[who, {"closed": …}]`.
pub(crate) struct Recording(pub(crate) BTreeMap<String, Vec<Value>>);

impl Recording {
    pub(crate) fn heard(&self, name: &str) -> &[Value] {
        self.0.get(name).unwrap_or_else(|| panic!("{name} was not recorded"))
    }
}

pub(crate) struct Report {
    kind: Kind,
    differences: Differences,
    complaints: String,
}

struct Differences(BTreeMap<String, Difference>);

struct Difference {
    ours: Vec<Value>,
}

impl Report {
    pub(crate) fn new(kind: Kind) -> Self {
        let name = if kind == Kind::Tcp { "tcp-differences.json" } else { "differences.json" };
        Self { kind, differences: load(name), complaints: String::new() }
    }

    pub(crate) fn compare(&mut self, name: &str, reference: &[Value], ours: &[Value]) {
        let is_as_reference = same(reference, ours);
        let kind = self.kind.name();
        let complaint = match self.differences.0.get(name) {
            None if !is_as_reference => "differs from the reference",
            Some(_) if is_as_reference => "is listed as a difference but is none",
            Some(known) if !same(&known.ours, ours) => "differs otherwise than listed",
            _ => return,
        };
        writeln!(self.complaints, "{kind}: {name} {complaint}").unwrap();
        for (whose, lines) in [("reference", reference), ("ours", ours)] {
            for line in lines {
                writeln!(self.complaints, "    {whose}: {line}").unwrap();
            }
        }
    }

    pub(crate) fn finish(self) {
        assert!(self.complaints.is_empty(), "\n{}", self.complaints);
    }
}

fn same(reference: &[Value], ours: &[Value]) -> bool {
    let even = |lines: &[Value]| lines.iter().map(evened).collect::<Vec<_>>();
    even(reference) == even(ours)
}

fn evened(line: &Value) -> Value {
    let mut line = line.clone();
    let Some(text) = line[1].as_str() else { return line };
    let mut envelope: Value = serde_json::from_str(text).unwrap();
    if let Some(fields) = envelope.as_object_mut()
        && fields["type"] == "err"
    {
        if fields.contains_key("body") {
            fields.retain(|name, _| name == "type" || name == "body");
        } else if fields.get("failureType").is_some_and(|kind| kind == "ERROR") {
            fields.retain(|name, _| name == "type" || name == "message");
        }
        if let Some(message) = fields.get("message").and_then(Value::as_str) {
            let message = without_reply_address(message);
            fields.insert("message".to_owned(), message.into());
        }
    }
    line[1] = envelope;
    line
}

/// `… address: X, repliedAddress: Y` without the X.
fn without_reply_address(text: &str) -> String {
    let parts = text.split_once("address: ").and_then(|(before, rest)| {
        let (_, after) = rest.split_once(", repliedAddress: ")?;
        Some(format!("{before}address: …, repliedAddress: {after}"))
    });
    parts.unwrap_or_else(|| text.to_owned())
}

impl From<Value> for Recording {
    fn from(value: Value) -> Self {
        Self(serde_json::from_value(value).unwrap())
    }
}

impl From<Value> for Differences {
    fn from(value: Value) -> Self {
        let difference = |(name, entry): (&String, &Value)| {
            assert!(entry["why"].is_string(), "{name} needs a reason");
            (name.clone(), Difference { ours: entry["ours"].as_array().unwrap().clone() })
        };
        Self(value.as_object().unwrap().iter().map(difference).collect())
    }
}
