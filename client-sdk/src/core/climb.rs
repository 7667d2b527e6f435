//! From a transport that had to do back to a WebSocket, while the page lives.
//!
//! A WebSocket is tried beside the connection. Once it has delivered `o`, and a moment comes in
//! which no request is under way and nothing waits to be said to this connection alone:
//!
//! 1. Everything is registered over the WebSocket, which is the connection from then on.
//! 2. When the server has acknowledged that, everything is unregistered over the old one, with a
//!    receipt: behind it nothing comes over the old one any more.
//! 3. A receipt over the WebSocket: by then all has come that came over both.
//!
//! What is published meanwhile comes over both. From 1 to 2 what comes over the WebSocket is held
//! back, so that the order stays; then, until 3, what is equal to a text that came over the old one
//! is dropped ([`Overlap`]). Nothing tells a text that comes twice from two equal messages, so two of
//! those that were *sent* to one address within these three round trips may be taken for one.
//! Requests differ by their reply addresses. The old one stays a while longer for replies.
//!
//! Memory is bounded by [`OVERLAP_MAX`]: beyond it what is held back comes although the old one is
//! not through, and of the texts the oldest are forgotten; such a message may come twice, or before
//! one that is still under way on the old connection. None is lost.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Address, ByteString};

use super::connection::{Connection, Phase, millis};
use super::outbox::{Outbox, Parcel};
use super::output::{Action, Delivery, Event, Link, Overlap, RequestId};
use super::requests::Stage;
use crate::Transport;

/// How long a WebSocket may take to open and to find its moment, and how long the old connection
/// stays. It sends no pings, after which servers close it by themselves.
const WINDOW: u64 = 8000;
/// How often the moment is looked for.
const CHECK: u64 = 50;
/// Messages that are held back at most, and texts that are remembered at most: what comes in three
/// slow round trips of a second each, at more than 3,000 a second.
pub(super) const OVERLAP_MAX: usize = 10_000;
/// The least time between two climbs.
const CLIMB_MIN: Duration = Duration::from_secs(1);

/// The connection that was climbed from.
#[derive(Debug)]
pub(super) struct Old {
    pub(super) link: Link,
    session: String,
    transport: Transport,
    until: u64,
    stage: Leaving,
    /// What came over it, and not over the new one yet.
    seen: Vec<ByteString>,
    /// What came over the new one and waits for the old one to be through.
    held: Vec<(ByteString, Delivery)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// The new one registers.
    Registering,
    /// The old one has been told that it is not wanted any more.
    Unregistering(RequestId),
    /// What came over the old one may still come over the new one.
    Draining(RequestId),
    /// Only replies are left.
    Lingering,
}

impl Old {
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// Whether a text came over this connection; each time counts once.
    fn was_seen(&mut self, text: &ByteString) -> bool {
        let at = self.seen.iter().position(|seen| seen == text);
        at.map(|at| self.seen.remove(at)).is_some()
    }
}

impl Connection {
    /// When to try a WebSocket beside what has just opened.
    pub(super) fn climb_at(&self, now: u64, transport: Transport) -> u64 {
        let best = self.options.transports.first();
        // Who registers by itself would have to do it anew.
        let is_below =
            !self.hands_over && self.has_websocket && best == Some(&Transport::WebSocket);
        if is_below && transport != Transport::WebSocket {
            now.saturating_add(millis(self.options.climb_after.max(CLIMB_MIN)))
        } else {
            u64::MAX
        }
    }

    pub(super) fn climb_when_due(&mut self, now: u64) {
        if self.old.as_ref().is_some_and(|old| now >= old.until) {
            self.end_old();
        }
        let Phase::Open(opened) = &self.phase else {
            return;
        };
        if now < opened.climb_at {
            return;
        }
        let (transport, until) = (opened.transport, opened.climb_until);
        let is_quiet = !opened.sending && !self.requests.has_sent() && !self.outbox.is_link_bound();
        match self.contenders.first() {
            _ if self.hands_over => self.climb_again(u64::MAX, 0),
            None => {
                self.contend(Transport::WebSocket);
                self.climb_again(now + WINDOW, now + WINDOW);
            }
            Some(ready) if ready.is_ready && is_quiet => self.climb(now, transport),
            Some(ready) if ready.is_ready && now < until => self.climb_again(now + CHECK, until),
            Some(_) => {
                self.close_contenders();
                self.climb_again(self.climb_at(now, transport), 0);
            }
        }
    }

    fn climb_again(&mut self, at: u64, until: u64) {
        if let Phase::Open(opened) = &mut self.phase {
            (opened.climb_at, opened.climb_until) = (at, until);
        }
    }

    /// The WebSocket has opened, or failed.
    pub(super) fn climb_on(&mut self, now: u64) {
        if let Phase::Open(opened) = &mut self.phase {
            opened.climb_at = now;
            if self.contenders.is_empty() {
                let at = self.climb_at(now, Transport::XhrPolling);
                self.climb_again(at, 0);
            }
        }
    }

    fn climb(&mut self, now: u64, transport: Transport) {
        let winner = self.contenders.remove(0);
        self.end_old();
        self.old = Some(Old {
            link: core::mem::replace(&mut self.link, winner.link),
            session: core::mem::replace(&mut self.session, winner.session),
            transport,
            until: now + WINDOW,
            stage: Leaving::Registering,
            seen: Vec::new(),
            held: Vec::new(),
        });
        self.requests.end(Some(Stage::Registration));
        self.registry.forget();
        let old = self.old.as_ref().map(|old| old.link).unwrap_or_default();
        self.events.push_back(Event::Overlap(Overlap::Begins(old)));
        self.open(now, winner.transport);
        self.leave_old(RequestId(0));
    }

    /// Goes on with leaving the old connection after a receipt.
    pub(super) fn leave_old(&mut self, receipt: RequestId) {
        let Some(Old { stage, until, .. }) = &self.old else {
            return;
        };
        let (stage, until) = (*stage, *until);
        let next = match stage {
            Leaving::Registering if self.registry.on_bus().all(|row| row.outcome.is_some()) => {
                let mut outbox = Outbox::new(0, 0);
                for row in self.registry.on_bus() {
                    let address = row.address.clone();
                    let mut envelope = ClientEnvelope::new(Operation::Unregister, address);
                    envelope.is_pattern = row.is_pattern;
                    outbox.push_control(Parcel::Control(None), envelope.to_json());
                }
                let (question, text) = self.question(until);
                outbox.push_control(Parcel::Control(None), text);
                while let Some(text) = outbox.next_upload(drop) {
                    self.say_to_old(text);
                }
                Leaving::Unregistering(question)
            }
            Leaving::Unregistering(question) if question == receipt => {
                let (question, text) = self.question(until);
                self.outbox.push_control(Parcel::Control(None), text);
                self.events.push_back(Event::Overlap(Overlap::Drained));
                self.let_go();
                Leaving::Draining(question)
            }
            Leaving::Draining(question) if question == receipt => {
                self.events.push_back(Event::Overlap(Overlap::Ends));
                Leaving::Lingering
            }
            _ => return,
        };
        if let Some(old) = &mut self.old {
            old.stage = next;
        }
    }

    /// The old connection goes, or went.
    pub(super) fn end_old(&mut self) {
        self.let_go();
        if let Some(Old { link, stage, .. }) = self.old.take() {
            self.actions.push_back(Action::Close { link });
            if stage != Leaving::Lingering {
                self.events.push_back(Event::Overlap(Overlap::Ends));
            }
        }
    }

    pub(super) fn is_old(&self, link: Link) -> bool {
        self.old.as_ref().is_some_and(|old| old.link == link)
    }

    /// Gives an upload to the old connection.
    pub(super) fn say_to_old(&mut self, text: String) {
        if let Some(Old { link, session, .. }) = &self.old {
            let (link, url) = (*link, Some(self.transport_endpoint().upload(session)));
            self.actions.push_back(Action::Send { link, url, text });
        }
    }

    /// A response that carried frames of the old connection has ended.
    pub(super) fn receive_old(&mut self) {
        if let Some(Old { link, session, transport, .. }) = &self.old {
            let url = self.transport_endpoint().receive(session, *transport);
            let (link, transport) = (*link, *transport);
            self.actions.push_back(Action::Open { link, transport, url });
        }
    }

    /// Gives a message for consumers back if its time is now: not when it is held until the old
    /// connection is through, or came over that before.
    pub(super) fn in_turn(
        &mut self,
        link: Link,
        text: &ByteString,
        message: Delivery,
    ) -> Option<Delivery> {
        let Some(old) = self.old.as_mut().filter(|old| old.stage != Leaving::Lingering) else {
            return Some(message);
        };
        if link == old.link {
            if old.seen.len() >= OVERLAP_MAX {
                old.seen.remove(0);
            }
            old.seen.push(text.clone());
            return Some(message);
        }
        if let Leaving::Draining(_) = old.stage {
            return (!old.was_seen(text)).then_some(message);
        }
        if old.held.len() >= OVERLAP_MAX {
            self.let_go();
        }
        if let Some(old) = &mut self.old {
            old.held.push((text.clone(), message));
        }
        None
    }

    /// The old connection is through, or too much is held: what is held comes, unless it came over that.
    fn let_go(&mut self) {
        let held = self.old.as_mut().map(|old| core::mem::take(&mut old.held));
        for (text, message) in held.into_iter().flatten() {
            if !self.old.as_mut().is_some_and(|old| old.was_seen(&text)) {
                self.deliver(message);
            }
        }
    }

    /// An envelope that changes nothing, to which the server has an answer.
    pub(super) fn question(&mut self, until: u64) -> (RequestId, String) {
        let receipt = self.requests.add(until, Stage::Registration);
        let label = self.requests.reply_address(receipt);
        let address = Address::from(label.as_str());
        let mut envelope = ClientEnvelope::new(Operation::Unregister, address);
        envelope.receipt = Some(label.into());
        (receipt, envelope.to_json())
    }
}
