//! Plain counters of a bridge.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use trolleybus_protocol::ErrorKind;
use trolleybus_protocol::codes::{REFUSALS, Refusal};

use crate::access::AuthFailure;
use crate::meter::{Latency, LatencySnapshot, Sharded};

/// A snapshot of what a bridge did since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BridgeStats {
    /// Envelopes that were refused, by the word that the client was told; all words are there.
    pub refusals: Vec<(&'static str, u64)>,
    /// Messages that were not delivered to a socket, by why; all reasons are there.
    pub discarded: [(&'static str, u64); 4],
    /// Tokens that were shown, by what they were: `accepted`, `invalid`, `expired`, or
    /// `unavailable` when nobody could say.
    pub authentications: [(&'static str, u64); 4],
    /// Requests of clients that ended, by how; all outcomes are there.
    pub requests: Vec<(RequestOutcome, u64)>,
    /// Requests of clients that wait for an answer now.
    pub requests_under_way: u64,
    /// How long requests of clients took that came to an answer, whatever it was.
    pub request_latency: LatencySnapshot,
}

/// How a request of a client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It was answered.
    Reply,
    /// Its time was up, or whoever had it let it go.
    Timeout,
    /// Nobody consumes its address.
    NoHandlers,
    /// The recipient failed it.
    RecipientFailure,
    /// It failed otherwise.
    Error,
    /// The client went before an answer came.
    Abandoned,
}

impl RequestOutcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Reply,
        Self::Timeout,
        Self::NoHandlers,
        Self::RecipientFailure,
        Self::Error,
        Self::Abandoned,
    ];

    /// The name that metrics use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Timeout => "timeout",
            Self::NoHandlers => "no_handlers",
            Self::RecipientFailure => "recipient_failure",
            Self::Error => "error",
            Self::Abandoned => "abandoned",
        }
    }

    pub(super) fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::NoHandlers => Self::NoHandlers,
            ErrorKind::RecipientFailure => Self::RecipientFailure,
            _ => Self::Error,
        }
    }
}

/// Why the bridge did not deliver a message to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discard {
    /// The rules do not permit it to this client.
    NotPermitted,
    /// The client has as many requests to answer as it may.
    TooManyToAnswer,
    /// The hook was behind.
    HookTooSlow,
    /// The hook, or the rules about what it made of the message, said no.
    ByHook,
}

const DISCARDS: [&str; 4] = ["not_permitted", "too_many_to_answer", "hook_too_slow", "hook"];

/// What tokens turn out to be.
const AUTHENTICATIONS: [&str; 4] = ["accepted", "invalid", "expired", "unavailable"];

/// Counters of one bridge; those of each request in memory of the thread that counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    refusals: [AtomicU64; REFUSALS.len()],
    authentications: [AtomicU64; AUTHENTICATIONS.len()],
    discarded: [AtomicU64; DISCARDS.len()],
    requests: Sharded<Requests>,
    latency: Latency,
}

#[derive(Debug, Default)]
struct Requests {
    begun: AtomicU64,
    ended: [AtomicU64; RequestOutcome::ALL.len()],
}

impl Counters {
    pub(super) fn refused(&self, refusal: Refusal) {
        if let Some(place) = REFUSALS.iter().position(|row| row.refusal == refusal) {
            self.refusals[place].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn authenticated(&self, failure: Option<AuthFailure>) {
        let place = match failure {
            None => 0,
            Some(AuthFailure::Invalid) => 1,
            Some(AuthFailure::Expired) => 2,
            Some(AuthFailure::Unavailable) => 3,
        };
        self.authentications[place].fetch_add(1, Relaxed);
    }

    pub(super) fn discarded(&self, why: Discard) {
        self.discarded[why as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn request_began(&self) {
        self.requests.here().begun.fetch_add(1, Relaxed);
    }

    pub(super) fn request_ended(&self, outcome: RequestOutcome, took: Duration) {
        self.requests.here().ended[outcome as usize].fetch_add(1, Relaxed);
        self.latency.observe(took);
    }

    pub(super) fn requests_abandoned(&self, requests: usize) {
        let ended = &self.requests.here().ended;
        ended[RequestOutcome::Abandoned as usize].fetch_add(requests as u64, Relaxed);
    }

    pub(super) fn snapshot(&self) -> BridgeStats {
        // Ends first: a request that ends meanwhile must not be counted as ended only.
        let ended = |outcome: RequestOutcome| {
            let counts = self.requests.iter().map(|copy| &copy.ended[outcome as usize]);
            counts.map(|count| count.load(Relaxed)).sum::<u64>()
        };
        let requests: Vec<_> =
            RequestOutcome::ALL.into_iter().map(|outcome| (outcome, ended(outcome))).collect();
        let begun: u64 = self.requests.iter().map(|copy| copy.begun.load(Relaxed)).sum();
        let all_ended: u64 = requests.iter().map(|(_, count)| count).sum();
        let refusals = REFUSALS.iter().zip(&self.refusals);
        BridgeStats {
            refusals: refusals.map(|(row, count)| (row.word, count.load(Relaxed))).collect(),
            discarded: from_fn(|place| (DISCARDS[place], self.discarded[place].load(Relaxed))),
            authentications: from_fn(|place| {
                (AUTHENTICATIONS[place], self.authentications[place].load(Relaxed))
            }),
            requests,
            requests_under_way: begun.saturating_sub(all_ended),
            request_latency: self.latency.snapshot(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_under_way_until_they_end() {
        let counters = Counters::default();
        (0..4).for_each(|_| counters.request_began());
        counters.request_ended(RequestOutcome::Reply, Duration::from_millis(1));
        counters.requests_abandoned(2);
        let stats = counters.snapshot();
        assert_eq!(stats.requests_under_way, 1);
        assert_eq!(stats.requests[0], (RequestOutcome::Reply, 1));
        assert_eq!(stats.requests[5], (RequestOutcome::Abandoned, 2));
        assert_eq!(stats.request_latency.counts.iter().sum::<u64>(), 1);
    }

    #[test]
    fn tokens_are_counted_by_what_they_were() {
        let counters = Counters::default();
        counters.authenticated(None);
        counters.authenticated(Some(AuthFailure::Expired));
        let counts = counters.snapshot().authentications.map(|(_, count)| count);
        assert_eq!(counts, [1, 0, 1, 0]);
    }

    #[test]
    fn refusals_are_counted_by_their_words() {
        let counters = Counters::default();
        counters.refused(Refusal::AccessDenied);
        let stats = counters.snapshot();
        assert_eq!(stats.refusals.len(), REFUSALS.len());
        assert!(stats.refusals.contains(&("access_denied", 1)));
    }
}
