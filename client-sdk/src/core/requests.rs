//! Requests that wait for a reply.

use trolleybus_protocol::json::push_integer;

use super::Table;
use super::output::RequestId;
use alloc::string::String;
use alloc::vec::Vec;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the outbox.
    Queued,
    /// Given to a transport; it fails when that is lost.
    Sent,
    /// With a consumer of this client.
    Local,
    /// No request but a registration, which waits for its receipt.
    Registration,
}

#[derive(Debug)]
struct Pending {
    stage: Stage,
    deadline: u64,
}

#[derive(Debug)]
pub(super) struct Requests {
    rows: Table<Pending>,
    /// What all reply addresses of this client begin with.
    prefix: String,
    /// No deadline comes earlier.
    earliest: u64,
}

impl Requests {
    pub(super) fn new(prefix: String) -> Self {
        Self { rows: Table::new(), prefix, earliest: u64::MAX }
    }

    pub(super) fn add(&mut self, deadline: u64, stage: Stage) -> RequestId {
        self.earliest = self.earliest.min(deadline);
        RequestId(self.rows.add(Pending { stage, deadline }))
    }

    /// The reply address of a request: at most 33 characters.
    pub(super) fn reply_address(&self, RequestId(id): RequestId) -> String {
        let mut digits = String::with_capacity(self.prefix.len() + 20);
        digits.push_str(&self.prefix);
        push_integer(&mut digits, id);
        digits
    }

    /// Ends what waits behind a reply address or receipt.
    pub(super) fn take(&mut self, reply_address: &str) -> Option<(RequestId, Stage)> {
        let id = reply_address.strip_prefix(&self.prefix)?.parse().ok()?;
        let pending = self.rows.remove(id)?;
        self.rest_when_empty();
        Some((RequestId(id), pending.stage))
    }

    /// True for addresses that this client made, answered or not.
    pub(super) fn is_ours(&self, reply_address: &str) -> bool {
        reply_address.starts_with(&self.prefix)
    }

    pub(super) fn remove(&mut self, RequestId(id): RequestId) {
        self.rows.remove(id);
        self.rest_when_empty();
    }

    pub(super) fn mark_sent(&mut self, RequestId(id): RequestId) {
        if let Some(pending) = self.rows.get_mut(id) {
            pending.stage = Stage::Sent;
        }
    }

    /// Whether one waits that was given to a transport.
    pub(super) fn has_sent(&self) -> bool {
        self.rows.values().any(|pending| pending.stage == Stage::Sent)
    }

    /// Ends those at `stage`; all when none is named.
    pub(super) fn end(&mut self, stage: Option<Stage>) -> Vec<(RequestId, Stage)> {
        self.take_if(|pending| stage.is_none_or(|stage| pending.stage == stage))
    }

    /// Ends those whose time is up.
    pub(super) fn expire(&mut self, now: u64) -> Vec<(RequestId, Stage)> {
        if now < self.earliest {
            return Vec::new();
        }
        self.take_if(|pending| pending.deadline <= now)
    }

    /// When [`Requests::expire`] should be called; at times somewhat early.
    pub(super) fn earliest(&self) -> u64 {
        self.earliest
    }

    /// Without requests there is nothing to wake up for; a program may end then.
    fn rest_when_empty(&mut self) {
        if self.rows.values().next().is_none() {
            self.earliest = u64::MAX;
        }
    }

    fn take_if(&mut self, fits: impl Fn(&Pending) -> bool) -> Vec<(RequestId, Stage)> {
        let taken = self.rows.take_if(fits);
        let deadlines = self.rows.values().map(|pending| pending.deadline);
        self.earliest = deadlines.min().unwrap_or(u64::MAX);
        taken.into_iter().map(|(id, pending)| (RequestId(id), pending.stage)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_addresses_are_short_and_found_once() {
        let mut requests = Requests::new("r-0123456789.".to_owned());
        let request = requests.add(10, Stage::Queued);
        let address = requests.reply_address(request);
        assert_eq!(requests.take(&address), Some((request, Stage::Queued)));
        assert_eq!(requests.take(&address), None);
        assert!(requests.is_ours(&address) && !requests.is_ours("other"));
        assert!(requests.reply_address(RequestId(u64::MAX)).len() <= 36);
    }

    #[test]
    fn without_requests_there_is_no_deadline() {
        let mut requests = Requests::new(String::new());
        let request = requests.add(10, Stage::Sent);
        requests.remove(request);
        assert_eq!(requests.earliest(), u64::MAX);
        let request = requests.add(10, Stage::Sent);
        let address = requests.reply_address(request);
        assert_eq!(requests.take(&address), Some((request, Stage::Sent)));
        assert_eq!(requests.earliest(), u64::MAX);
        requests.add(10, Stage::Sent);
        requests.end(None);
        assert_eq!(requests.earliest(), u64::MAX);
    }

    #[test]
    fn deadlines_end_requests_in_time() {
        let mut requests = Requests::new(String::new());
        let (late, early) = (requests.add(20, Stage::Sent), requests.add(10, Stage::Sent));
        assert_eq!(requests.earliest(), 10);
        assert_eq!(requests.expire(9), []);
        assert_eq!(requests.expire(10), [(early, Stage::Sent)]);
        assert_eq!(requests.earliest(), 20);
        assert_eq!(requests.end(Some(Stage::Queued)), []);
        assert_eq!(requests.end(Some(Stage::Sent)), [(late, Stage::Sent)]);
        assert_eq!(requests.expire(30), []);
        assert_eq!(requests.earliest(), u64::MAX);
    }
}
