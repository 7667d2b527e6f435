//! The token that shows who this client is: asked for before each attempt, shown first on each
//! connection, renewed before it expires.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use trolleybus_protocol::codes::Close;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Address, Body, Error, ErrorKind};

use super::connection::{Connection, Phase};
use super::outbox::Parcel;
use super::output::{Action, Event};
use crate::token::TokenSource;

/// How long the application may take to give a token.
const PATIENCE: u64 = 30_000;
/// The longest time before its end at which a token is renewed; those of less than ten minutes
/// are renewed in the last tenth of their life.
const LEAD_MAX: u64 = 60_000;

/// The present token.
pub(super) struct Token {
    /// Empty for none.
    text: String,
    /// When to ask for the next one.
    pub(super) refresh_at: u64,
    /// A connection was refused for the token, and none has lasted since.
    pub(super) is_doubted: bool,
}

/// What goes along when a WebSocket is opened.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    /// The token, where it goes into the header of the request too.
    pub(crate) token: Option<&'a str>,
    /// Whom to trust, unless it is the roots that browsers know.
    #[cfg(feature = "tls")]
    pub(crate) trust: Option<&'a crate::trust::Trust>,
}

impl Default for Token {
    fn default() -> Self {
        Self { text: String::new(), refresh_at: u64::MAX, is_doubted: false }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the text: whoever has it is the user.
        f.debug_struct("Token").field("refresh_at", &self.refresh_at).finish_non_exhaustive()
    }
}

impl Connection {
    /// The token that [`Action::FetchToken`] asked for, empty for none, or why there is none.
    /// `valid_for` is how many milliseconds it has left, where that is known; before they are over
    /// another is asked for and shown on the same connection.
    pub fn handle_token(&mut self, now: u64, token: Result<&str, &str>, valid_for: Option<u64>) {
        match (token, &self.phase) {
            (Ok(token), phase) => {
                let (waits, is_open) =
                    (matches!(phase, Phase::Token { .. }), matches!(phase, Phase::Open(_)));
                let is_new = token != self.token.text;
                if is_new {
                    token.clone_into(&mut self.token.text);
                    let refresh_in = valid_for.filter(|left| *left > 0);
                    let refresh_in = refresh_in.map(|left| left - (left / 10).min(LEAD_MAX));
                    self.token.refresh_at = refresh_in.map_or(u64::MAX, |left| now + left);
                }
                if waits {
                    self.start_race(now);
                } else if is_open
                    && is_new
                    && let Some((parcel, text)) = self.authentication()
                {
                    self.outbox.push_control(parcel, text);
                }
            }
            (Err(why), Phase::Token { .. }) => self.wait(now, 2000, why),
            (Err(why), Phase::Open(_)) => {
                self.events.push_back(Event::Error(Error::new(ErrorKind::Other, why)));
            }
            _ => {}
        }
    }

    /// Whom to ask for a token.
    pub(crate) fn token_source(&self) -> Option<TokenSource> {
        self.options.token.clone()
    }

    /// What a driver opens a WebSocket with.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn opening(&self) -> Opening<'_> {
        let token = &*self.token.text;
        Opening {
            token: (self.options.token_header && !token.is_empty()).then_some(token),
            #[cfg(feature = "tls")]
            trust: self.options.trust.as_ref(),
        }
    }

    /// Asks for a token first, where there is someone to ask.
    pub(super) fn ask_for_token(&mut self, now: u64) -> bool {
        let is_asked = self.options.token.is_some();
        if is_asked {
            self.actions.push_back(Action::FetchToken);
            self.phase = Phase::Token { deadline: now + PATIENCE };
        }
        is_asked
    }

    pub(super) fn refresh_token_when_due(&mut self, now: u64) {
        if now >= self.token.refresh_at {
            self.token.refresh_at = u64::MAX;
            self.actions.push_back(Action::FetchToken);
        }
    }

    pub(super) fn lose_token(&mut self, now: u64) {
        self.wait(now, 2000, "the application gave no token in time");
    }

    /// Whether a close is about the token and another one can be had.
    pub(super) fn is_about_token(&self, code: u16) -> bool {
        let codes = [Close::TOKEN_EXPIRED.code, Close::UNAUTHORIZED.code];
        codes.contains(&code) && self.options.token.is_some()
    }

    /// The token was turned down: once a fresh one is tried without delay. When that is turned
    /// down too, an expired one waits as after any loss, and a bad one is the end.
    pub(super) fn renew(&mut self, now: u64, code: u16, reason: &str) {
        self.note_how_it_lasted(now);
        if !core::mem::replace(&mut self.token.is_doubted, true) {
            self.drop_link(code, reason);
            self.start_attempt(now);
        } else if code == Close::UNAUTHORIZED.code {
            self.end(code, reason);
        } else {
            self.wait(now, code, reason);
        }
    }

    /// What shows the token, if there is one.
    pub(super) fn authentication(&self) -> Option<(Parcel, String)> {
        if self.token.text.is_empty() {
            return None;
        }
        let mut envelope = ClientEnvelope::new(Operation::Authenticate, Address::default());
        envelope.body = Body::from_text(&self.token.text);
        Some((Parcel::Control(None), envelope.to_json()))
    }
}
