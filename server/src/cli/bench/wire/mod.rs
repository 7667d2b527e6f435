//! One connection: what is said on it, whatever carries it.
//!
//! | File | Holds |
//! |---|---|
//! | `dialect` | what is said, in the words of each form |
//! | `websocket` | SockJS frames over a WebSocket, the raw WebSocket, Socket.IO, NATS, or bare texts |
//! | `nats` | the NATS protocol, as far as it is needed |
//! | `http` | SockJS over xhr-polling or xhr-streaming |

mod dialect;
mod http;
mod nats;
mod websocket;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Context as _, bail};
use bytes::Bytes;

use self::dialect::Saying;

/// How many digits a sequence number has on the wire.
const DIGITS: usize = 12;
/// The number of no message.
const NOBODY: &str = "000000000000";
/// Bytes of a frame in which an envelope says what it is.
const HEAD: usize = 64;
/// What it says of a failure, as it is and quoted.
const FAILURE: [&[u8]; 2] = [br#""type":"err""#, br#"\"type\":\"err\""#];

/// In which form messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// Envelopes in SockJS frames over a WebSocket.
    Sockjs,
    /// The same, compressed where the server agrees to it; bodies are records instead of one letter.
    SockjsDeflate,
    /// Envelopes on the raw WebSocket.
    Raw,
    /// Envelopes by SockJS xhr-polling.
    XhrPolling,
    /// Envelopes by SockJS xhr-streaming.
    XhrStreaming,
    /// Envelopes as Socket.IO events, to a server of that kind.
    SocketIo,
    /// NATS over a WebSocket.
    Nats,
    /// Bodies alone, to a server that sends texts back: `tests/versus/peers/rust/src/bin/bare.rs`
    /// says what else it knows.
    Bare,
}

impl Form {
    /// Messages are quoted, in frames that have a letter in front.
    fn is_sockjs(self) -> bool {
        use Form::{Sockjs, SockjsDeflate, XhrPolling, XhrStreaming};
        matches!(self, Sockjs | SockjsDeflate | XhrPolling | XhrStreaming)
    }
}

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The message of this number, or the reply to it.
    Message(u64),
    /// The request of this number failed, of which a client is told at once: such news overtakes
    /// replies to requests that were made before.
    Failure(u64),
}

/// One connection.
pub(super) struct Wire {
    carrier: Carrier,
    form: Form,
    padding: String,
    /// Messages of a frame whose first was taken.
    rest: Option<Bytes>,
    /// Where echoes come back in NATS.
    inbox: String,
    is_inbox_open: bool,
}

enum Carrier {
    WebSocket(Box<websocket::Carrier>),
    Http(Box<http::Carrier>),
}

/// What fills a body up: what compression is measured with has to be like what people send.
fn padding(form: Form, size: usize) -> String {
    if form != Form::SockjsDeflate {
        return "x".repeat(size);
    }
    let mut records = String::with_capacity(size + 64);
    for number in 0_u64.. {
        if records.len() >= size {
            break;
        }
        let value = number.wrapping_mul(2_654_435_761) % 1_000_003;
        let _ =
            write!(records, "id: {}, name: sensor {}, value: {value}; ", number * 7, number % 17);
    }
    records.truncate(size);
    records
}

impl Wire {
    pub(super) async fn open(url: &str, form: Form, size: usize) -> anyhow::Result<Self> {
        let base = url.trim_end_matches('/').replacen("http", "ws", 1);
        let carrier = match form {
            Form::XhrPolling | Form::XhrStreaming => {
                let streaming = form == Form::XhrStreaming;
                let base = base.replacen("ws", "http", 1);
                Carrier::Http(Box::new(http::Carrier::open(&base, streaming).await?))
            }
            _ => Carrier::WebSocket(Box::new(websocket::Carrier::open(&base, form).await?)),
        };
        static INBOXES: AtomicUsize = AtomicUsize::new(0);
        let inbox = format!("_BENCH.{}.{}", std::process::id(), INBOXES.fetch_add(1, Relaxed));
        let padding = padding(form, size.saturating_sub(DIGITS + 2));
        Ok(Self { carrier, form, padding, rest: None, inbox, is_inbox_open: false })
    }

    /// The sequence number in the next message; that something failed is an error.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub(super) async fn receive(&mut self) -> anyhow::Result<u64> {
        match self.next().await? {
            Arrived::Message(number) => Ok(number),
            Arrived::Failure(number) => bail!("the server let {number} fail"),
        }
    }

    /// The next message, reply, or failure of a request.
    ///
    /// # Cancel safety
    /// As [`Self::receive`].
    pub(super) async fn next(&mut self) -> anyhow::Result<Arrived> {
        loop {
            let frame = match (self.rest.take(), &mut self.carrier) {
                (Some(rest), _) => rest,
                (None, Carrier::WebSocket(carrier)) => carrier.frame().await?,
                (None, Carrier::Http(carrier)) => carrier.frame().await?,
            };
            if &frame[..] == b"h" {
                continue;
            }
            if self.form.is_sockjs() && frame.starts_with(b"c") {
                bail!("the server closed the socket: {}", String::from_utf8_lossy(&frame));
            }
            // Several messages may share a frame of SockJS; each is taken by itself.
            if self.form.is_sockjs()
                && let Some((first, rest)) = split(&frame)
            {
                self.rest = Some(rest);
                return arrived(&first);
            }
            return arrived(&frame);
        }
    }

    /// Puts a request to `echo`, or a bare message, into the write buffer.
    pub(super) async fn feed_request(&mut self, number: u64) -> anyhow::Result<()> {
        if self.form == Form::Nats && !self.is_inbox_open {
            self.is_inbox_open = true;
            let open = format!("SUB {} 1\r\n", self.inbox);
            self.feed(&open).await?;
        }
        let body = self.body(number);
        self.say(Saying::Echo { number, body: &body }).await
    }

    /// Puts a publish into the write buffer.
    pub(super) async fn feed_publish(&mut self, address: &str, number: u64) -> anyhow::Result<()> {
        let body = self.body(number);
        self.say(Saying::Publish { address, body: &body }).await
    }

    /// Registers, and waits until the server has done so.
    pub(super) async fn register<A: AsRef<str>>(&mut self, addresses: &[A]) -> anyhow::Result<()> {
        for (number, address) in addresses.iter().enumerate() {
            self.say(Saying::Register { address: address.as_ref(), number }).await?;
        }
        self.say(Saying::Done).await?;
        self.flush().await?;
        // Nobody is there, so it is a failure that says it.
        self.next().await.map(drop)
    }

    pub(super) async fn ping(&mut self) -> anyhow::Result<()> {
        self.say(Saying::Ping).await?;
        self.flush().await
    }

    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.carrier {
            Carrier::WebSocket(carrier) => carrier.flush().await,
            Carrier::Http(carrier) => carrier.flush().await,
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.carrier {
            Carrier::WebSocket(mut carrier) => carrier.close().await,
            Carrier::Http(_) => Ok(()),
        }
    }

    /// Lets go of what is only needed to say something.
    pub(super) fn lean_back(&mut self) {
        if let Carrier::Http(carrier) = &mut self.carrier {
            carrier.lean_back();
        }
    }

    async fn say(&mut self, saying: Saying<'_>) -> anyhow::Result<()> {
        match saying.in_form(self.form, &self.inbox) {
            Some(text) => self.feed(&text).await,
            None => Ok(()),
        }
    }

    async fn feed(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.carrier {
            Carrier::WebSocket(carrier) => carrier.feed(text).await,
            Carrier::Http(carrier) => {
                carrier.feed(text);
                Ok(())
            }
        }
    }

    fn body(&self, number: u64) -> String {
        let mut body = String::with_capacity(self.padding.len() + DIGITS + 2);
        let _ = write!(body, "\"{number:012}{}\"", self.padding);
        body
    }
}

fn arrived(message: &[u8]) -> anyhow::Result<Arrived> {
    let number = number_in(message)?;
    let head = &message[..message.len().min(HEAD)];
    match FAILURE.iter().any(|words| memchr::memmem::find(head, words).is_some()) {
        true => Ok(Arrived::Failure(number)),
        false => Ok(Arrived::Message(number)),
    }
}

/// The number that follows the first run of just so many digits.
fn number_in(frame: &[u8]) -> anyhow::Result<u64> {
    let mut runs = frame.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit());
    let number = runs.find(|run| run.len() == DIGITS);
    number
        .and_then(|run| std::str::from_utf8(run).ok()?.parse().ok())
        .with_context(|| format!("no sequence number in {}", String::from_utf8_lossy(frame)))
}

/// The first message of a frame of several, and a frame of the others. Messages of a benchmark
/// hold no `","` of their own once they are quoted.
fn split(frame: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = memchr::memmem::find(frame, b"\",\"")?;
    Some((frame.slice(..end), frame.slice(end + 2..)))
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::envelope::{failure_to_json, rec_to_json};
    use trolleybus_protocol::sockjs::message_frame;
    use trolleybus_protocol::{Body, Error, Headers};

    use super::*;

    #[test]
    fn messages_that_share_a_frame_are_taken_one_by_one() {
        let frame =
            Bytes::from_static(br#"a["{\"n\":\"000000000001\"}","{\"n\":\"000000000002\"}"]"#);
        let (first, rest) = split(&frame).unwrap();
        assert_eq!((number_in(&first).unwrap(), number_in(&rest).unwrap()), (1, 2));
        assert!(split(&rest).is_none());
        assert!(number_in(b"a[\"123\"]").is_err());
    }

    #[test]
    fn a_failure_is_no_reply() {
        let raw = failure_to_json("000000000007", &Error::no_handlers("echo"));
        assert_eq!(arrived(raw.as_bytes()).unwrap(), Arrived::Failure(7));
        let framed = message_frame(&raw);
        assert_eq!(arrived(framed.as_bytes()).unwrap(), Arrived::Failure(7));
        let reply = rec_to_json("000000000007", &Body::from_text("err"), &Headers::new(), None);
        assert_eq!(arrived(reply.as_bytes()).unwrap(), Arrived::Message(7));
        let framed = message_frame(&reply);
        assert_eq!(arrived(framed.as_bytes()).unwrap(), Arrived::Message(7));
    }
}
