//! The connection: its parts, what can be polled, and the timer.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Address, Error, ErrorKind};

use super::climb::Old;
use super::endpoint::Endpoint;
use super::fallback::Fallback;
use super::outbox::{Outbox, Parcel};
use super::output::{Action, Delivery, Event, Link, RequestId};
use super::race::{Asked, Contender};
use super::random::Random;
use super::registry::Registry;
use super::requests::{Requests, Stage};
use super::room::Room;
use super::token::Token;
use crate::{Options, State, Transport};

/// One client's connection. Times are milliseconds from any fixed moment, never going back.
#[derive(Debug)]
pub struct Connection {
    pub(super) options: Options,
    pub(super) endpoint: Endpoint,
    /// Where transports are, when `/info` names another base.
    pub(super) moved: Option<Endpoint>,
    pub(super) random: Random,
    pub(super) phase: Phase,
    pub(super) state: State,
    /// The one in use while open.
    pub(super) link: Link,
    pub(super) session: String,
    pub(super) last_link: Link,
    /// Transports that are tried.
    pub(super) contenders: Vec<Contender>,
    /// The connection that was climbed from.
    pub(super) old: Option<Old>,
    /// Whether the server says that it takes WebSockets.
    pub(super) has_websocket: bool,
    /// Why the last transport could not be opened, where the driver knows.
    pub(super) why: String,
    pub(super) fallback: Fallback,
    /// Attempts in a row that failed, or that did not last.
    pub(super) attempt: u32,
    pub(super) heartbeats_known: bool,
    /// The application speaks the bridge by itself.
    pub(super) hands_over: bool,
    pub(super) token: Token,
    pub(super) last_close: (u16, String),
    pub(super) outbox: Outbox,
    pub(super) registry: Registry,
    pub(super) requests: Requests,
    pub(super) room: Room,
    /// The machine that this runs on says so.
    pub(super) is_offline: bool,
    /// The server acknowledges registrations.
    pub(super) receipts_known: bool,
    pub(super) actions: VecDeque<Action>,
    pub(super) events: VecDeque<Event>,
}

/// Where the machine stands.
#[derive(Debug)]
pub(super) enum Phase {
    Token { deadline: u64 },
    Racing { asked: Asked, since: u64, until: u64 },
    Open(Opened),
    Waiting { until: u64 },
    Closed,
}

/// What counts while open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) transport: Transport,
    pub(super) since: u64,
    pub(super) heard_at: u64,
    pub(super) ping_at: u64,
    /// A text was given to the driver and is not sent yet.
    pub(super) sending: bool,
    /// The present receiver has delivered a frame.
    pub(super) received: bool,
    /// When the answer to a question whether the server lives must be there.
    pub(super) answer_by: u64,
    /// When to see to the climb to a WebSocket.
    pub(super) climb_at: u64,
    /// When one that is open gives up waiting for its moment.
    pub(super) climb_until: u64,
}

impl Connection {
    /// Starts to connect to the bridge at `url`, an absolute `http`, `https`, `ws` or `wss` URL.
    /// `seed` should be random; session names and the spread of delays come of it.
    #[must_use]
    pub fn new(url: &str, options: Options, seed: u64, now: u64) -> Self {
        let mut random = Random::new(seed);
        let mut prefix = random.letters(13);
        prefix.push('.');
        let mut connection = Self {
            endpoint: Endpoint::new(url),
            moved: None,
            random,
            phase: Phase::Waiting { until: now },
            state: State::Connecting,
            link: Link::default(),
            session: String::new(),
            last_link: Link::default(),
            contenders: Vec::new(),
            old: None,
            has_websocket: true,
            why: String::new(),
            fallback: Fallback::new(),
            attempt: 0,
            heartbeats_known: false,
            hands_over: false,
            token: Token::default(),
            last_close: (1000, String::new()),
            outbox: Outbox::new(options.outbox_len, options.outbox_bytes),
            registry: Registry::default(),
            requests: Requests::new(prefix),
            room: Room::default(),
            is_offline: false,
            receipts_known: false,
            actions: VecDeque::new(),
            events: VecDeque::new(),
            options,
        };
        if connection.endpoint.is_usable() {
            connection.start_attempt(now);
        } else {
            connection.end(1002, "the URL must be absolute, of scheme http, https, ws or wss");
        }
        connection
    }

    /// Where the connection stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Code and reason of the last loss or close.
    #[must_use]
    pub fn last_close(&self) -> (u16, &str) {
        (self.last_close.0, &self.last_close.1)
    }

    /// How many messages one consumer may leave unread.
    #[must_use]
    pub fn buffer_len(&self) -> usize {
        self.options.buffer_len
    }

    /// Gives a request up: nothing is told of it any more. Tells whether it had not left yet, so
    /// that nobody will ever see it; if it had, its reply will be ignored.
    pub fn cancel(&mut self, request: RequestId) -> bool {
        self.requests.remove(request);
        self.room.free();
        self.outbox.take_back(request)
    }

    /// The next thing for the driver to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        let Phase::Open(opened) = &mut self.phase else {
            return None;
        };
        if opened.sending {
            return None;
        }
        let requests = &mut self.requests;
        let text = self.outbox.next_upload(|parcel| {
            if let Parcel::Message(Some(request)) | Parcel::Reply(Some(request)) = parcel {
                requests.mark_sent(request);
            }
        })?;
        opened.sending = true;
        self.room.free();
        let over_http = opened.transport != Transport::WebSocket;
        let url = over_http.then(|| self.transport_endpoint().upload(&self.session));
        let link = self.link;
        Some(Action::Send { link, url, text })
    }

    /// The next thing for the application to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        let Some(event) = self.events.pop_front() else {
            return self.room_event();
        };
        if let Event::Message { .. } = event {
            self.room.free();
        }
        Some(event)
    }

    /// When [`Connection::handle_timeout`] wants to be called; earlier does no harm.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let phase = match &self.phase {
            Phase::Token { deadline } | Phase::Racing { until: deadline, .. } => *deadline,
            Phase::Open(opened) => {
                let old = self.old.as_ref().map_or(u64::MAX, Old::until);
                let life = opened.ping_at.min(self.dead_at(opened));
                life.min(opened.climb_at).min(old).min(self.token.refresh_at)
            }
            Phase::Waiting { until } => *until,
            Phase::Closed => u64::MAX,
        };
        let earliest = phase.min(self.requests.earliest());
        (earliest < u64::MAX).then_some(earliest)
    }

    /// The time may have come for something.
    pub fn handle_timeout(&mut self, now: u64) {
        for (request, stage) in self.requests.expire(now) {
            self.cancel(request);
            let error = Error::new(ErrorKind::Timeout, "no reply in time");
            self.settle(request, stage, Err(error));
        }
        match &self.phase {
            Phase::Token { deadline } if now >= *deadline => self.lose_token(now),
            Phase::Racing { until, .. } if now >= *until => self.race_on(now),
            Phase::Open(opened) if now >= self.dead_at(opened) => {
                self.lose(now, 1006, "the server went silent");
            }
            Phase::Open(_) => {
                self.ping_when_due(now);
                self.refresh_token_when_due(now);
                self.climb_when_due(now);
            }
            Phase::Waiting { until } if now >= *until => self.start_attempt(now),
            _ => {}
        }
    }

    /// Tells the server that this client lives, when it is time. Besides the timer every frame
    /// comes through here, because browsers hold back the timers of pages in the background.
    pub(super) fn ping_when_due(&mut self, now: u64) {
        let interval = millis(self.options.ping_interval);
        if let Phase::Open(opened) = &mut self.phase
            && now >= opened.ping_at
        {
            opened.ping_at = now + interval;
            self.outbox.push_control(Parcel::Ping, ping());
        }
    }

    /// Tells whoever waits for it how a request, or a registration, ended.
    pub(super) fn settle(
        &mut self,
        request: RequestId,
        stage: Stage,
        result: Result<Delivery, Error>,
    ) {
        if stage == Stage::Registration {
            self.acknowledge(request, result.map(drop));
        } else {
            self.events.push_back(Event::Reply { request, result });
        }
    }

    pub(super) fn fail_all(&mut self, stage: Option<Stage>, kind: ErrorKind, text: &str) {
        for (request, stage) in self.requests.end(stage) {
            self.settle(request, stage, Err(Error::new(kind, text)));
        }
    }

    fn dead_at(&self, opened: &Opened) -> u64 {
        match millis(self.options.idle_timeout) {
            timeout if timeout > 0 && self.heartbeats_known => {
                opened.answer_by.min(opened.heard_at + timeout)
            }
            _ => opened.answer_by,
        }
    }
}

pub(super) fn ping() -> String {
    ClientEnvelope::new(Operation::Ping, Address::default()).to_json()
}

/// Whole milliseconds; what is over an hour of centuries is not.
pub(super) fn millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into())
}
