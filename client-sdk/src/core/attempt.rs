//! Getting connected and losing it: starting, opening, waiting, closing.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::time::Duration;
use trolleybus_protocol::ErrorKind;
use trolleybus_protocol::codes::Close;

use super::connection::{Connection, Opened, Phase, millis, ping};
use super::endpoint::Endpoint;
use super::outbox::Parcel;
use super::output::{Action, Event, Link};
use super::race::Asked;
use super::requests::Stage;
use super::{Origin, backoff};
use crate::options::usable;
use crate::{State, Transport};

/// A connection that lasted this long starts the count of attempts anew.
const LASTING: u64 = 5000;

impl Connection {
    /// What this link was doing failed: `/info`, a transport, an upload.
    pub fn handle_failed(&mut self, now: u64, link: Link) {
        if let Some(at) = self.contender(link) {
            return self.lose_contender(now, at);
        }
        match self.phase {
            Phase::Racing { asked, .. } if asked == Asked::Pending(link) => self.lose_info(now),
            Phase::Open(_) if link == self.link => {
                self.lose(now, 1006, "the connection was lost");
            }
            _ if self.is_old(link) => self.end_old(),
            _ => {}
        }
    }

    /// The WebSocket was closed with this code, and no frame `c` came before it. Before it was
    /// open only a code that forbids another attempt counts, because a proxy may have sent it.
    pub fn handle_closed(&mut self, now: u64, link: Link, code: u16, reason: &str) {
        let contender = self.contender(link);
        let says_nothing = matches!(code, 1000 | 1001 | 1005 | 1006);
        match contender {
            _ if says_nothing => self.handle_failed(now, link),
            Some(at) if Close::may_retry(code, reason) => self.lose_contender(now, at),
            Some(at) => self.refuse_contender(now, at, code, reason),
            None if link == self.link => self.lose_by_server(now, code, reason),
            None => {}
        }
    }

    /// The transport could not be opened, and this is why.
    pub fn handle_refused(&mut self, now: u64, link: Link, why: &str) {
        if self.contender(link).is_some() {
            why.clone_into(&mut self.why);
        }
        self.handle_failed(now, link);
    }

    /// An HTTP response that carried frames has ended as it should.
    pub fn handle_ended(&mut self, now: u64, link: Link) {
        if self.is_old(link) {
            self.receive_old();
        } else if let (Phase::Open(opened), true) = (&mut self.phase, link == self.link)
            && opened.received
        {
            opened.received = false;
            let (transport, session) = (opened.transport, self.session.clone());
            self.open_receiver(link, transport, &session);
        } else {
            self.handle_failed(now, link);
        }
    }

    /// The text of the last `Send` is on its way; another may follow.
    pub fn handle_sent(&mut self, link: Link) {
        if let (Phase::Open(opened), true) = (&mut self.phase, link == self.link) {
            opened.sending = false;
        }
    }

    /// Ends the connection for good. Pending requests fail with `Closed`. What waits while the
    /// connection stands is sent first.
    pub fn close(&mut self) {
        self.flush();
        self.end(1000, "closed by the application");
    }

    /// Hands everything to the driver. An upload by HTTP that is under way must not be overtaken.
    pub(super) fn flush(&mut self) {
        let mut actions = core::mem::take(&mut self.actions);
        if let Phase::Open(opened) = &mut self.phase {
            opened.sending &= opened.transport != Transport::WebSocket;
        }
        while let Some(action) = self.poll_action() {
            if let Action::Send { link, url: None, .. } = action {
                self.handle_sent(link);
            }
            actions.push_back(action);
        }
        self.actions = actions;
    }

    /// Drops the present connection and connects again at once; with `transports` those are the
    /// ones to use from now on. Does nothing after the end.
    pub fn reconnect(&mut self, now: u64, transports: Option<Vec<Transport>>) {
        if let Phase::Closed = self.phase {
            return;
        }
        if let Some(transports) = transports {
            self.options.transports = usable(transports);
            self.fallback.forget();
        }
        self.drop_link(1000, "reconnecting");
        self.attempt = 0;
        self.start_attempt(now);
    }

    /// Sets how many attempts in a row may fail, none for no limit. With zero a client that waits
    /// for its next attempt is closed.
    pub fn limit_attempts(&mut self, attempts: Option<u32>) {
        self.options.reconnect.attempts_max = attempts;
        if let (Phase::Waiting { .. }, Some(0)) = (&self.phase, attempts) {
            let (code, reason) = self.last_close.clone();
            self.end(code, &reason);
        }
    }

    /// Asks for a token where one is wanted, then goes on.
    pub(super) fn start_attempt(&mut self, now: u64) {
        self.set_state(State::Connecting);
        if !self.ask_for_token(now) {
            self.start_race(now);
        }
    }

    /// The frame `o`. The token goes first, so that rules see who it is; then the ping, then
    /// registrations, then what waited.
    pub(super) fn open(&mut self, now: u64, transport: Transport) {
        let interval = millis(self.options.ping_interval);
        let mut first: Vec<_> = self.authentication().into_iter().collect();
        if interval > 0 {
            first.push((Parcel::Ping, ping()));
        }
        self.register_all(now, &mut first);
        self.outbox.lead_with(first);
        self.fallback.worked(transport, now);
        self.phase = Phase::Open(Opened {
            transport,
            since: now,
            heard_at: now,
            ping_at: if interval > 0 { now + interval } else { u64::MAX },
            sending: false,
            received: true,
            answer_by: u64::MAX,
            climb_at: self.climb_at(now, transport),
            climb_until: 0,
        });
        self.set_state(State::Open { transport });
    }

    /// The connection went by itself, or in a way that allows another.
    pub(super) fn lose(&mut self, now: u64, code: u16, reason: &str) {
        self.note_how_it_lasted(now);
        self.wait(now, code, reason);
    }

    pub(super) fn note_how_it_lasted(&mut self, now: u64) {
        if let Phase::Open(opened) = &self.phase {
            self.fallback.worked(opened.transport, now);
            if now.saturating_sub(opened.since) >= LASTING {
                self.attempt = 0;
                self.token.is_doubted = false;
            }
        }
    }

    /// The frame `c`: some codes forbid another attempt.
    pub(super) fn lose_by_server(&mut self, now: u64, code: u16, reason: &str) {
        if self.is_about_token(code) {
            self.renew(now, code, reason);
        } else if Close::may_retry(code, reason) {
            self.lose(now, code, reason);
        } else {
            self.end(code, reason);
        }
    }

    pub(super) fn wait(&mut self, now: u64, code: u16, reason: &str) {
        let counts = !self.is_offline || !self.has_another_attempt();
        let (reconnect, random) = (&self.options.reconnect, &mut self.random);
        let delay = if !counts {
            Some(millis(reconnect.delay_max))
        } else {
            self.attempt += 1;
            backoff::delay(reconnect, self.attempt - 1, code, random)
        };
        let Some(delay) = delay else {
            return self.end(code, reason);
        };
        self.drop_link(code, reason);
        self.wait_until(now + delay, Duration::from_millis(delay));
    }

    pub(super) fn wait_until(&mut self, until: u64, retry_in: Duration) {
        self.phase = Phase::Waiting { until };
        let attempt = self.attempt.max(1);
        self.set_state(State::Waiting { attempt, retry_in });
    }

    pub(super) fn end(&mut self, code: u16, reason: &str) {
        if let Phase::Closed = self.phase {
            return;
        }
        self.drop_link(code, reason);
        self.phase = Phase::Closed;
        self.outbox.clear();
        self.fail_all(None, ErrorKind::Closed, "the client is closed");
        let reason = reason.to_owned();
        self.set_state(State::Closed { code, reason });
    }

    /// Everything that belonged to the link goes with it.
    pub(super) fn drop_link(&mut self, code: u16, reason: &str) {
        if let Phase::Open(_) = self.phase {
            self.actions.push_back(Action::Close { link: self.link });
        }
        self.close_contenders();
        self.end_old();
        self.link = self.fresh_link();
        self.last_close = (code, reason.to_owned());
        self.outbox.drop_link_bound();
        self.room.free();
        self.requests.end(Some(Stage::Registration));
        self.registry.forget();
        let text = "the connection went while the request was under way";
        self.fail_all(Some(Stage::Sent), ErrorKind::ConnectionLost, text);
    }

    pub(super) fn open_receiver(&mut self, link: Link, transport: Transport, session: &str) {
        let url = self.transport_endpoint().receive(session, transport);
        self.actions.push_back(Action::Open { link, transport, url });
    }

    pub(super) fn transport_endpoint(&self) -> &Endpoint {
        self.moved.as_ref().unwrap_or(&self.endpoint)
    }

    fn set_state(&mut self, state: State) {
        if state != self.state {
            self.state = state.clone();
            self.events.push_back(Event::State(state));
        }
    }

    /// Whether a reply can still go where the message came from.
    pub(super) fn leads_back(&self, origin: Origin) -> bool {
        match (origin, &self.phase) {
            (_, Phase::Closed) => false,
            (Origin::Local, _) => true,
            (Origin::Link(link), phase) => link == self.link && matches!(phase, Phase::Open(_)),
        }
    }
}
