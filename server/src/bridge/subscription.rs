//! The handler of a registration that is out of the ordinary: a pattern, one whose rules look at
//! each message, or one with an overflow policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trolleybus_protocol::BusMessage as _;

use super::delivery::Route;
use super::overflow::Lane;
use super::registrations::Target;
use super::socket::BridgeSocket;
use crate::access::Verdict;
use crate::bus::{Delivery, Handler, Message};

#[derive(Debug)]
pub(super) struct Subscription {
    socket: Arc<BridgeSocket>,
    target: Target,
    /// There when it loses messages rather than the socket.
    lane: Option<Arc<Lane>>,
    /// The stamp under which every message was found permitted, doubled; plus one where each
    /// message has to be looked at.
    judged: AtomicU64,
}

impl Subscription {
    pub(super) fn new(
        socket: &Arc<BridgeSocket>,
        target: &Target,
        verdict: Verdict,
        stamp: u64,
        lane: Option<Arc<Lane>>,
    ) -> Self {
        Self {
            socket: Arc::clone(socket),
            target: target.detached(),
            lane,
            judged: AtomicU64::new(judgement(verdict, stamp)),
        }
    }

    /// Whether a message needs no look at the rules.
    fn trusts(&self) -> bool {
        let stamp = self.socket.rights.stamp();
        let judged = self.judged.load(Ordering::Relaxed);
        if judged >> 1 == stamp {
            return judged & 1 == 0;
        }
        let (bound, stamp) = self.socket.rights.bound();
        let verdict = self.target.verdict(&bound.outbound);
        self.judged.store(judgement(verdict, stamp), Ordering::Relaxed);
        verdict == Verdict::Permitted
    }
}

fn judgement(verdict: Verdict, stamp: u64) -> u64 {
    stamp << 1 | u64::from(verdict != Verdict::Permitted)
}

impl Handler for Subscription {
    fn deliver(&self, message: &Message) -> Delivery {
        if !self.trusts() && !self.socket.check_outbound(message) {
            return Delivery::Taken;
        }
        let pattern = self.target.is_pattern().then(|| self.target.address());
        self.socket.receive(
            message,
            Route { address: message.address(), pattern, lane: self.lane.as_ref() },
        )
    }
}
