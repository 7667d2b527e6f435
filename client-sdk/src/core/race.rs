//! Transports that are tried side by side until one delivers `o`.
//!
//! `/info` and the WebSocket start at once, so that the first message does not wait for one after
//! the other. Once `/info` is there, the next transport joins whenever those before have shown
//! nothing for a while, or one has failed. Whoever delivers `o` first stays, the others are closed.

use alloc::string::String;

use trolleybus_protocol::sockjs::Info;

use super::connection::{Connection, Phase, millis};
use super::output::{Action, Link};
use crate::Transport;

/// How long `/info` may take.
const INFO_PATIENCE: u64 = 5000;
/// How long a WebSocket that is open waits for `/info`, which may name another server.
const GRACE: u64 = 300;

/// A transport that is tried.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) link: Link,
    pub(super) transport: Transport,
    pub(super) session: String,
    /// It has delivered `o`.
    pub(super) is_ready: bool,
}

/// What is known of `/info` on the present attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is asked by this link.
    Pending(Link),
    /// It was answered, or there was nothing to choose by it.
    Answered,
    Failed,
}

impl Connection {
    /// Asks `/info`, unless there is nothing to choose by it, and tries the WebSocket meanwhile.
    pub(super) fn start_race(&mut self, now: u64) {
        self.moved = None;
        self.why.clear();
        self.line_up(now, true);
        let mut asked = Asked::Answered;
        if self.options.transports != [Transport::WebSocket] {
            let (link, url) = (self.fresh_link(), self.endpoint.info());
            self.actions.push_back(Action::FetchInfo { link, url });
            asked = Asked::Pending(link);
        }
        self.phase = Phase::Racing { asked, since: now, until: now + INFO_PATIENCE };
        if asked == Asked::Answered || self.fallback.starts_with(Transport::WebSocket) {
            self.join_next(now);
        }
    }

    /// `/info` was answered with 200 and this text.
    pub fn handle_info(&mut self, now: u64, link: Link, text: &str) {
        let Info { websocket, base_url, .. } = Info::parse(text);
        self.handle_capabilities(now, link, websocket, &base_url.unwrap_or_default());
    }

    /// What `/info` says: whether WebSockets are offered, and another base for the transports, or
    /// an empty one.
    pub fn handle_capabilities(&mut self, now: u64, link: Link, websocket: bool, base_url: &str) {
        let Phase::Racing { asked, since, until } = &mut self.phase else {
            return;
        };
        if *asked != Asked::Pending(link) {
            return;
        }
        *asked = Asked::Answered;
        self.fallback.measure(now.saturating_sub(*since));
        *until = now.max(*since + self.fallback.patience());
        self.has_websocket = websocket;
        self.moved = base_url.starts_with("http").then(|| self.endpoint.moved_to(base_url));
        if self.moved.is_some() || !websocket {
            self.close_contenders();
            self.line_up(now, websocket);
        }
        if !self.win_if_ready(now) && self.contenders.is_empty() {
            self.join_next(now);
        }
    }

    pub(super) fn lose_info(&mut self, now: u64) {
        if let Phase::Racing { asked, until, .. } = &mut self.phase {
            (*asked, *until) = (Asked::Failed, now + self.fallback.patience());
            self.fallback.clear();
            if !self.win_if_ready(now) && self.contenders.is_empty() {
                self.give_up(now);
            }
        }
    }

    /// Time is up for what is under way.
    pub(super) fn race_on(&mut self, now: u64) {
        if self.win_if_ready(now) {
            return;
        }
        match self.phase {
            Phase::Racing { asked: Asked::Answered, .. } => self.join_next(now),
            _ => self.give_up(now),
        }
    }

    /// Tries the next transport beside those under way.
    fn join_next(&mut self, now: u64) {
        let Some((transport, patience)) = self.fallback.next() else {
            return self.give_up(now);
        };
        if let Phase::Racing { asked: Asked::Answered, until, .. } = &mut self.phase {
            *until = now + patience;
        }
        self.contend(transport);
    }

    /// Opens a transport under a session of its own.
    pub(super) fn contend(&mut self, transport: Transport) {
        let (link, session) = (self.fresh_link(), self.random.letters(16));
        self.open_receiver(link, transport, &session);
        self.contenders.push(Contender { link, transport, session, is_ready: false });
    }

    pub(super) fn contender(&self, link: Link) -> Option<usize> {
        self.contenders.iter().position(|contender| contender.link == link)
    }

    /// A transport that is tried has delivered `o`.
    pub(super) fn open_contender(&mut self, now: u64, at: usize) {
        self.contenders[at].is_ready = true;
        match &mut self.phase {
            Phase::Racing { asked: Asked::Pending(_), until, .. } => {
                *until = (*until).min(now + GRACE);
            }
            Phase::Racing { .. } => drop(self.win_if_ready(now)),
            _ => self.climb_on(now),
        }
    }

    /// The server, or what stands before it, says no to a transport that is tried.
    pub(super) fn refuse_contender(&mut self, now: u64, at: usize, code: u16, reason: &str) {
        if let Phase::Racing { .. } = self.phase {
            self.lose_by_server(now, code, reason);
        } else {
            self.lose_contender(now, at);
        }
    }

    pub(super) fn lose_contender(&mut self, now: u64, at: usize) {
        let Contender { link, .. } = self.contenders.remove(at);
        self.actions.push_back(Action::Close { link });
        match self.phase {
            Phase::Racing { asked: Asked::Answered, .. } if !self.fallback.is_over() => {
                self.join_next(now);
            }
            Phase::Racing { asked: Asked::Answered | Asked::Failed, .. }
                if self.contenders.is_empty() =>
            {
                self.give_up(now);
            }
            Phase::Racing { .. } => {}
            _ => self.climb_on(now),
        }
    }

    fn win_if_ready(&mut self, now: u64) -> bool {
        let ready = self.contenders.iter().position(|contender| contender.is_ready);
        if let Some(at) = ready {
            let winner = self.contenders.remove(at);
            self.close_contenders();
            (self.link, self.session) = (winner.link, winner.session);
            self.open(now, winner.transport);
        }
        ready.is_some()
    }

    fn give_up(&mut self, now: u64) {
        if let Phase::Racing { asked: Asked::Answered, .. } = self.phase {
            let why = core::mem::take(&mut self.why);
            let reason = if why.is_empty() { "All transports failed" } else { &why };
            self.wait(now, 2000, reason);
        } else {
            self.wait(now, 1002, "Cannot connect to server");
        }
    }

    /// Ends all that is tried, and the question for `/info`.
    pub(super) fn close_contenders(&mut self) {
        if let Phase::Racing { asked: Asked::Pending(link), .. } = self.phase {
            self.actions.push_back(Action::Close { link });
        }
        for Contender { link, .. } in self.contenders.drain(..) {
            self.actions.push_back(Action::Close { link });
        }
    }

    fn line_up(&mut self, now: u64, websocket: bool) {
        let offered = |transport: &Transport| websocket || *transport != Transport::WebSocket;
        let transports = self.options.transports.iter().copied().filter(offered);
        self.fallback.start(transports, now, millis(self.options.climb_after));
    }

    pub(super) fn fresh_link(&mut self) -> Link {
        self.last_link.0 += 1;
        self.last_link
    }
}
