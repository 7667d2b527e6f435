//! The machine under a virtual clock, against a server played by the test.

mod attempts;
mod bare;
mod climb;
mod consumers;
mod fallback;
mod life;
mod liveness;
mod local;
mod messages;
mod outbox;
mod race;
mod receipts;
mod requests;
mod tokens;

use std::collections::VecDeque;

use trolleybus_protocol::sockjs::Frame;
use trolleybus_protocol::{
    Address, Body, ConsumerOptions, DeliveryOptions, Error, ErrorKind, Pattern,
};

use super::{Action, Connection, ConsumerId, Event, Link, Matcher, RequestId};
use crate::{Options, OutboxPolicy, Reconnect, State, Transport};

const ALL: [Transport; 4] =
    [Transport::WebSocket, Transport::XhrStreaming, Transport::EventSource, Transport::XhrPolling];

/// A machine with its clock.
struct Rig {
    core: Connection,
    now: u64,
    /// Labels of receipts in what was sent, which [`Rig::sent`] leaves out.
    receipts: Vec<String>,
    /// What was polled and not looked at yet.
    polled: VecDeque<Action>,
    /// The receiver that was asked for last.
    opening: Link,
}

impl Rig {
    /// WebSocket only, so there is no `/info`; delays are not spread.
    fn socket() -> Self {
        Self::with(plain().transports([Transport::WebSocket]))
    }

    /// All four transports of a browser.
    fn browser() -> Self {
        let mut options = plain();
        options.transports = ALL.to_vec();
        Self::with(options)
    }

    fn with(options: Options) -> Self {
        let core = Connection::new("https://host/bus", options, 1, 1000);
        let (receipts, polled) = (Vec::new(), VecDeque::new());
        Self { core, now: 1000, receipts, polled, opening: Link::default() }
    }

    /// Open over a WebSocket, with the ping and `first` said and sent.
    fn open() -> Self {
        let mut rig = Self::socket();
        rig.accept();
        rig.sent();
        rig.states();
        rig
    }

    fn action(&mut self) -> Option<Action> {
        self.polled.pop_front().or_else(|| self.core.poll_action())
    }

    /// Polls everything; what was closed before anybody looked at it goes.
    fn poll(&mut self) {
        while let Some(action) = self.core.poll_action() {
            let Action::Close { link: closed } = action else {
                self.polled.push_back(action);
                continue;
            };
            self.polled.retain(|action| match action {
                Action::FetchInfo { link, .. } | Action::Open { link, .. } => *link != closed,
                _ => true,
            });
        }
    }

    /// The next action that fits; others stay, but for closes.
    fn find(&mut self, fits: impl Fn(&Action) -> bool) -> Action {
        self.poll();
        let at = self.polled.iter().position(fits);
        let found = at.and_then(|at| self.polled.remove(at));
        found.unwrap_or_else(|| panic!("not among {:?}", self.polled))
    }

    /// The next receiver that is asked for; closes before it are skipped.
    fn opening(&mut self) -> (Link, Transport, String) {
        let found = self.find(|action| matches!(action, Action::Open { .. }));
        let Action::Open { link, transport, url } = found else { unreachable!() };
        self.opening = link;
        (link, transport, url)
    }

    /// Answers `/info`.
    fn info(&mut self, text: &str) {
        let link = self.asked_info();
        self.core.handle_info(self.now, link, text);
    }

    fn asked_info(&mut self) -> Link {
        let found = self.find(|action| matches!(action, Action::FetchInfo { .. }));
        let Action::FetchInfo { link, .. } = found else { unreachable!() };
        link
    }

    /// Lets the next receiver open.
    fn accept(&mut self) -> Link {
        let (link, ..) = self.opening();
        self.frame("o");
        assert!(self.core.state().is_open());
        link
    }

    fn frame(&mut self, text: &str) {
        let link = self.link();
        self.core.handle_frame(self.now, link, text);
    }

    /// An envelope from the server.
    fn receive(&mut self, envelope: &str) {
        let frame = Frame::Messages(vec![envelope.to_owned()]);
        self.frame(&frame.encode());
    }

    fn lose(&mut self) {
        let link = self.link();
        self.core.handle_failed(self.now, link);
    }

    /// The connection, or the receiver that was asked for last.
    fn link(&self) -> Link {
        if self.core.state().is_open() { self.core.link } else { self.opening }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        self.core.handle_timeout(self.now);
    }

    /// Goes to when the machine wants to be called.
    fn pass_to_timeout(&mut self) -> u64 {
        let at = self.core.poll_timeout().unwrap();
        let passed = at - self.now;
        self.pass(passed);
        passed
    }

    /// Everything that is sent now, as one upload after the other.
    fn sent(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(action) = self.action() {
            if let Action::Send { link, text, .. } = action {
                let Ok(Frame::Messages(envelopes)) = Frame::parse(&format!("a{text}")) else {
                    panic!("no upload: {text}");
                };
                let envelopes = envelopes.iter().map(|envelope| self.without_receipt(envelope));
                sent.extend(envelopes.collect::<Vec<_>>());
                self.core.handle_sent(link);
            }
        }
        sent
    }

    fn without_receipt(&mut self, envelope: &str) -> String {
        let Some((front, rest)) = envelope.split_once(",\"receipt\":\"") else {
            return envelope.to_owned();
        };
        let (receipt, back) = rest.split_once('"').unwrap();
        self.receipts.push(receipt.to_owned());
        format!("{front}{back}")
    }

    /// The server carries out what asked for the receipt number `index` of [`Rig::sent`].
    fn receipt(&mut self, index: usize) {
        let label = &self.receipts[index];
        self.receive(&format!(r#"{{"type":"rec","address":"{label}","body":null}}"#));
    }

    /// The label of the last receipt in what is sent now.
    fn last_label(&mut self) -> String {
        self.sent();
        self.receipts.last().unwrap().clone()
    }

    /// The server refuses it with this word.
    fn refusal(&mut self, index: usize, word: &str) {
        let label = &self.receipts[index];
        self.receive(&format!(r#"{{"type":"err","address":"{label}","body":"{word}"}}"#));
    }

    /// What the server said to registrations.
    fn registered(&mut self) -> Vec<(String, Result<(), ErrorKind>)> {
        let events = self.events().into_iter();
        let registered = events.filter_map(|event| match event {
            Event::Registered { address, result, .. } => {
                Some((address.to_string(), result.map_err(|error| error.kind())))
            }
            _ => None,
        });
        registered.collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.core.poll_event()).collect()
    }

    fn states(&mut self) -> Vec<State> {
        let events = self.events().into_iter();
        let states = events.filter_map(|event| match event {
            Event::State(state) => Some(state),
            _ => None,
        });
        states.collect()
    }

    /// How requests ended: the body, or the kind of failure.
    fn replies(&mut self) -> Vec<(RequestId, Result<String, ErrorKind>)> {
        let events = self.events().into_iter();
        let replies = events.filter_map(|event| match event {
            Event::Reply { request, result } => Some((request, told(result))),
            _ => None,
        });
        replies.collect()
    }

    /// Messages for consumers: how many of them, the address, the body.
    fn messages(&mut self) -> Vec<(usize, String, String)> {
        let events = self.events().into_iter();
        let messages = events.filter_map(|event| match event {
            Event::Message { consumers, message } => {
                let (address, body) = (message.address.to_string(), message.body);
                Some((consumers.len(), address, body.as_json().to_owned()))
            }
            _ => None,
        });
        messages.collect()
    }

    fn consumer(&mut self, address: &str) -> ConsumerId {
        self.consumer_with(address, &ConsumerOptions::new())
    }

    fn local_consumer(&mut self, address: &str) -> ConsumerId {
        self.consumer_with(address, &ConsumerOptions::new().local_only())
    }

    fn consumer_with(&mut self, address: &str, options: &ConsumerOptions) -> ConsumerId {
        let pattern = options.is_pattern.then(|| Pattern::parse(address).unwrap());
        self.core.consumer(self.now, &address.into(), options, pattern.map(Matcher::new))
    }

    fn publish(&mut self, address: &str) -> Result<(), Error> {
        let options = DeliveryOptions::default();
        self.core.publish(&address.into(), Body::null(), options)
    }

    fn request(&mut self, address: &str) -> RequestId {
        let (address, options) = (Address::from(address), DeliveryOptions::default());
        let request = self.core.request(self.now, &address, Body::null(), options);
        request.unwrap()
    }

    fn reply_address(&self, request: RequestId) -> String {
        self.core.requests.reply_address(request)
    }
}

fn told(result: Result<super::Delivery, Error>) -> Result<String, ErrorKind> {
    match result {
        Ok(reply) => Ok(reply.body.as_json().to_owned()),
        Err(error) => Err(error.kind()),
    }
}

fn plain() -> Options {
    Options::new().reconnect(Reconnect { randomization: 0.0, ..Reconnect::default() })
}

const PING: &str = r#"{"type":"ping"}"#;

fn register(address: &str) -> String {
    format!(r#"{{"type":"register","address":"{address}"}}"#)
}

fn publication(address: &str) -> String {
    format!(r#"{{"type":"publish","address":"{address}","body":null}}"#)
}
