//! All that the page knows, and the actions that change it.

use std::collections::VecDeque;

use trolleybus_protocol::{Body, Error};

use super::{
    clock::Moment,
    entry::{Fate, How, Received, Sent, Way},
    ledger::Ledger,
    link::Link,
    tab::{Tab, Word},
};

/// How many lines a list keeps.
const KEPT: usize = 100;
/// How long the answer to something published may take. Requests have a timeout of their own.
const PATIENCE_SECONDS: u32 = 10;

/// What the page knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Page {
    pub(crate) tab: Tab,
    pub(crate) link: Link,
    /// Newest first.
    pub(crate) sent: VecDeque<Sent>,
    /// Newest first.
    pub(crate) received: VecDeque<Received>,
    pub(crate) ledger: Ledger,
    received_ever: u32,
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) address: String,
    pub(crate) body: Body,
    pub(crate) word: Option<Word>,
    pub(crate) served_by: Option<Tab>,
    pub(crate) at: Moment,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// The connection changed.
    Linked(Link),
    /// Word `number` was handed to the bus.
    Said { number: u32, how: How, address: &'static str, body: Body, at: Moment },
    /// A message was published on an address that the page consumes.
    Published(Heard),
    /// The reply to request `number` came.
    Replied { number: u32, heard: Heard },
    /// Word `number` failed.
    Failed { number: u32, error: Error, at: Moment },
    /// The bus reported an error that belongs to no word of this page.
    Reported { error: Error, at: Moment },
    /// Time passed.
    Ticked(Moment),
}

impl Page {
    pub(crate) fn new(tab: Tab) -> Self {
        Self { tab, ..Self::default() }
    }

    /// Whether time has to be told, for somebody waits for an answer to something published.
    pub(crate) fn is_waiting(&self) -> bool {
        self.sent.iter().any(|sent| sent.how == How::Publish && sent.is_pending())
    }

    pub(crate) fn apply(&mut self, action: Action) {
        match action {
            Action::Linked(link) => self.link = link,
            Action::Said { number, how, address, body, at } => {
                self.say(Sent {
                    number,
                    how,
                    address,
                    body,
                    at,
                    fate: Fate::Pending,
                    answers: Vec::new(),
                });
            }
            Action::Published(heard) => {
                let own = heard.word.as_ref().filter(|word| word.tab == self.tab);
                let number = own.map(|word| word.number);
                self.hear(Way::Published, number, heard);
            }
            Action::Replied { number, heard } => self.hear(Way::Replied, Some(number), heard),
            Action::Failed { number, error, at } => {
                self.settle(number, Fate::Failed { reason: error.to_string() });
                let address = self.find(number).map_or("", |sent| sent.address).to_owned();
                self.report(address, &error, at);
            }
            Action::Reported { error, at } => self.report(String::new(), &error, at),
            Action::Ticked(now) => self.give_up(now),
        }
    }

    fn say(&mut self, sent: Sent) {
        self.ledger.sent += 1;
        self.sent.push_front(sent);
        if self.sent.len() <= KEPT {
            return;
        }
        // What is not settled yet stays in sight, unless there is nothing else.
        let settled = self.sent.iter().rposition(|sent| !sent.is_pending());
        let oldest = self.sent.remove(settled.unwrap_or(KEPT));
        if oldest.is_some_and(|sent| sent.is_pending()) {
            self.ledger.failed += 1;
        }
    }

    fn hear(&mut self, way: Way, number: Option<u32>, heard: Heard) {
        let after = number.and_then(|number| self.answer(number, way, &heard));
        self.list(Received {
            number: 0,
            way,
            address: heard.address,
            body: heard.body,
            at: heard.at,
            after,
            word: heard.word,
            served_by: heard.served_by,
        });
    }

    /// Enters an answer to word `number`; how long it took, where the word is still known.
    fn answer(&mut self, number: u32, way: Way, heard: &Heard) -> Option<f64> {
        let sent = self.sent.iter_mut().find(|sent| sent.number == number)?;
        let after = heard.at.since(sent.at);
        let answer = (way, heard.served_by.clone());
        if sent.answers.contains(&answer) {
            self.ledger.duplicates += 1;
            return Some(after);
        }
        sent.answers.push(answer);
        // A request is answered by its reply, not by what the service publishes beside it.
        let expected = if sent.how == How::Publish { Way::Published } else { Way::Replied };
        if way == expected {
            self.settle(number, Fate::Answered { after });
        }
        Some(after)
    }

    /// Decides what became of word `number`. A late answer still counts as one.
    fn settle(&mut self, number: u32, fate: Fate) {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.number == number) else {
            return;
        };
        match (&sent.fate, &fate) {
            (Fate::Pending, Fate::Answered { .. }) => self.ledger.answered += 1,
            (Fate::Pending, Fate::Failed { .. }) => self.ledger.failed += 1,
            (Fate::Failed { .. }, Fate::Answered { .. }) => {
                self.ledger.failed -= 1;
                self.ledger.answered += 1;
            }
            _ => return,
        }
        sent.fate = fate;
    }

    fn give_up(&mut self, now: Moment) {
        let late = |sent: &&Sent| {
            sent.how == How::Publish
                && sent.is_pending()
                && now.since(sent.at) >= f64::from(PATIENCE_SECONDS) * 1000.0
        };
        let numbers: Vec<_> = self.sent.iter().filter(late).map(|sent| sent.number).collect();
        for number in numbers {
            let reason = format!("no answer within {PATIENCE_SECONDS} s");
            self.settle(number, Fate::Failed { reason });
        }
    }

    fn report(&mut self, address: String, error: &Error, at: Moment) {
        self.list(Received {
            number: 0,
            way: Way::Failed,
            address,
            body: Body::from_text(&error.to_string()),
            at,
            after: None,
            word: None,
            served_by: None,
        });
    }

    fn list(&mut self, mut received: Received) {
        self.received_ever += 1;
        received.number = self.received_ever;
        self.received.push_front(received);
        self.received.truncate(KEPT);
    }

    fn find(&self, number: u32) -> Option<&Sent> {
        self.sent.iter().find(|sent| sent.number == number)
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
