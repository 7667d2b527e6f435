//! Messages that wait for the reader of a stream, bounded: the oldest go when there are too many.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use trolleybus_protocol::envelope::{RecExtras, rec_with_extras_to_json};
use trolleybus_protocol::{Address, Body, BusMessage as _, Headers};

use super::handle::Core;
use crate::bridge::{self, Client, EventKind, EventMessage, HookQueue, Recipient};
use crate::bus::{Delivery, Handler, Message};
use crate::gateway::rights::Rights;

/// The handler behind a stream of server-sent events.
pub(super) struct Feed {
    pub(super) rights: Rights,
    core: Arc<Core>,
    state: Mutex<State>,
    changed: Notify,
    /// There when a hook wants to see what goes into the stream.
    hook_queue: Option<HookQueue<Parcel>>,
}

/// Messages on their way past the hook; never ends.
pub(super) type Passing = Pin<Box<dyn Future<Output = Infallible> + Send>>;

#[derive(Debug, Default)]
struct State {
    events: VecDeque<String>,
    bytes: usize,
    dropped: u64,
}

impl Feed {
    /// An empty feed.
    pub(super) fn new(rights: Rights, core: Arc<Core>) -> Self {
        let wants_receive = core.hook.as_ref().is_some_and(|hook| hook.wants(EventKind::Receive));
        let hook_queue = wants_receive.then(HookQueue::default);
        Self { rights, core, state: Mutex::default(), changed: Notify::new(), hook_queue }
    }

    /// Shows the hook what is to go into the stream, one message after the other.
    pub(super) fn past_hook(self: &Arc<Self>, client: Client) -> Passing {
        let feed = Arc::clone(self);
        Box::pin(async move {
            match (&feed.core.hook, &feed.hook_queue) {
                (Some(hook), Some(queue)) => bridge::drain(&*feed, client, hook, queue).await,
                _ => std::future::pending().await,
            }
        })
    }

    /// Puts a message into the stream under `address`, with what it says.
    fn put(&self, message: &Message, address: &Address, body: &Body, headers: &Headers) {
        let extras = RecExtras { pattern: message.pattern().map(Address::as_str), dropped: 0 };
        let envelope = rec_with_extras_to_json(address.as_str(), body, headers, None, extras);
        let limit = self.core.options.max_stream_queue;
        let dropped = self.state.lock().push(event("message", &envelope), limit);
        self.core.counters.event(dropped);
        if dropped > 0 {
            tracing::debug!(%address, dropped, "messages dropped for a slow reader of a stream");
        }
        self.changed.notify_one();
    }

    /// All events that wait, once there are any.
    ///
    /// # Cancel safety
    /// No event is lost when the future is dropped.
    pub(super) async fn next(&self) -> Bytes {
        loop {
            if let Some(text) = self.state.lock().take() {
                return text.into();
            }
            self.changed.notified().await;
        }
    }
}

impl State {
    /// Adds an event; gives how many went for it.
    fn push(&mut self, event: String, limit: usize) -> u64 {
        let before = self.dropped;
        self.bytes += event.len();
        self.events.push_back(event);
        while self.bytes > limit {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
        self.dropped - before
    }

    fn take(&mut self) -> Option<String> {
        if self.events.is_empty() && self.dropped == 0 {
            return None;
        }
        let dropped = std::mem::take(&mut self.dropped);
        let mut text = match dropped {
            0 => String::with_capacity(self.bytes),
            dropped => event("dropped", &dropped.to_string()),
        };
        self.events.drain(..).for_each(|event| text.push_str(&event));
        self.bytes = 0;
        Some(text)
    }
}

impl Handler for Feed {
    /// Each message is checked, because rules may have changed since the stream began. A request is
    /// left to others, since nobody can answer it from here.
    fn deliver(&self, message: &Message) -> Delivery {
        if message.reply_address().is_some() {
            return Delivery::Gone;
        }
        let rules = self.rights.bound().outbound;
        if let Err(refusal) = rules.check(message.address().as_str(), message.body()) {
            tracing::debug!(word = refusal.word(), "message not permitted to this stream");
            return Delivery::Taken;
        }
        match &self.hook_queue {
            None => self.put(message, message.address(), message.body(), message.headers()),
            Some(queue) => {
                if !queue.push(Parcel(message.clone())) {
                    tracing::debug!("message dropped for a stream whose hook is behind");
                    self.state.lock().dropped += 1;
                    self.core.counters.dropped();
                    self.changed.notify_one();
                }
            }
        }
        Delivery::Taken
    }
}

/// A message that waits for the hook.
#[derive(Debug)]
pub(super) struct Parcel(Message);

impl bridge::Parcel for Parcel {
    fn message(&self) -> &Message {
        &self.0
    }

    fn address(&self) -> &Address {
        self.0.address()
    }
}

impl Recipient for Feed {
    type Parcel = Parcel;

    fn pass(&self, Parcel(message): Parcel, rewritten: Option<Box<EventMessage>>) {
        match rewritten {
            None => self.put(&message, message.address(), message.body(), message.headers()),
            Some(rewritten) => {
                let address = rewritten.address.as_ref().unwrap_or(message.address());
                self.put(&message, address, &rewritten.body, &rewritten.headers);
            }
        }
    }

    fn withhold(&self, Parcel(message): Parcel, reason: &'static str) {
        tracing::debug!(address = %message.address(), reason, "message not put into a stream");
    }
}

/// One event. Bodies are as their authors wrote them, line breaks included; each line is one of data.
pub(super) fn event(name: &str, data: &str) -> String {
    let mut text = String::with_capacity(name.len() + data.len() + 24);
    let _ = writeln!(text, "event: {name}");
    for line in data.split(['\n', '\r']) {
        let _ = writeln!(text, "data: {line}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_body_is_a_line_of_data() {
        assert_eq!(event("message", "{}"), "event: message\ndata: {}\n\n");
        let text = event("message", "{\n\"a\":\r\n1}");
        assert_eq!(text, "event: message\ndata: {\ndata: \"a\":\ndata: \ndata: 1}\n\n");
    }

    #[test]
    fn the_oldest_events_go_and_are_counted() {
        let mut state = State::default();
        assert_eq!(state.take(), None);
        for name in ["one ", "two ", "three ", "four "] {
            state.push(name.to_owned(), 11);
        }
        assert_eq!(state.take().unwrap(), "event: dropped\ndata: 2\n\nthree four ");
        assert_eq!((state.take(), state.bytes), (None, 0));
        state.push("longer than the limit".to_owned(), 11);
        assert_eq!(state.take().unwrap(), "event: dropped\ndata: 1\n\n");
    }
}
