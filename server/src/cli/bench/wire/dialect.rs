//! What is said, in the words of each form.

use super::{Form, NOBODY};

/// Something that a client says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Saying<'a> {
    /// A message that comes back with this number.
    Echo {
        number: u64,
        body: &'a str,
    },
    Publish {
        address: &'a str,
        body: &'a str,
    },
    Register {
        address: &'a str,
        number: usize,
    },
    /// Something that is answered with the number zero, behind all that was said before.
    Done,
    Ping,
}

impl Saying<'_> {
    /// None where a form has no word for it. `inbox` is the client's own subject, if it has one.
    pub(super) fn in_form(self, form: Form, inbox: &str) -> Option<String> {
        match form {
            Form::Bare => self.bare(),
            Form::Nats => self.nats(inbox),
            _ => Some(self.envelope()),
        }
    }

    fn envelope(self) -> String {
        match self {
            Self::Echo { number, body } => format!(
                r#"{{"type":"send","address":"echo","headers":{{}},"body":{body},"replyAddress":"{number:012}"}}"#
            ),
            Self::Publish { address, body } => {
                format!(
                    r#"{{"type":"publish","address":"{address}","headers":{{}},"body":{body}}}"#
                )
            }
            Self::Register { address, .. } => {
                format!(r#"{{"type":"register","address":"{address}"}}"#)
            }
            Self::Done => {
                r#"{"type":"send","address":"bench.nobody","replyAddress":"000000000000"}"#.into()
            }
            Self::Ping => r#"{"type":"ping"}"#.into(),
        }
    }

    fn bare(self) -> Option<String> {
        match self {
            Self::Echo { body, .. } => Some(body.to_owned()),
            Self::Publish { address, body } => Some(format!("p{address}\n{body}")),
            Self::Register { address, .. } => Some(format!("r{address}")),
            Self::Done => Some(NOBODY.to_owned()),
            Self::Ping => None,
        }
    }

    /// NATS has no echo of its own: what comes back was sent to a subject of the sender's.
    fn nats(self, inbox: &str) -> Option<String> {
        match self {
            Self::Echo { body, .. } => Some(format!("PUB {inbox} {}\r\n{body}\r\n", body.len())),
            Self::Publish { address, body } => {
                Some(format!("PUB {address} {}\r\n{body}\r\n", body.len()))
            }
            Self::Register { address, number } => Some(format!("SUB {address} {}\r\n", number + 2)),
            Self::Done => Some("PING\r\n".to_owned()),
            // The server pings by itself.
            Self::Ping => None,
        }
    }
}
