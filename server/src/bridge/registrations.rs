//! The registrations of one socket, and what the rules say about them by now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Address, BusMessage as _, Overflow, Pattern};

use super::core::Core;
use super::hooks::EventKind;
use super::overflow::{Backlog, Lane};
use super::socket::BridgeSocket;
use super::stats::Discard;
use super::subscription::Subscription;
use crate::access::limits::RegistrationPlace;
use crate::access::{Rules, Verdict};
use crate::bus::{Handler, Message, Registration};

/// What a client registers.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Address(Address),
    Pattern(Pattern),
}

impl Target {
    pub(super) fn address(&self) -> &Address {
        match self {
            Self::Address(address) => address,
            Self::Pattern(pattern) => pattern.address(),
        }
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }

    /// What the rules say about all that may come.
    pub(super) fn verdict(&self, rules: &Rules) -> Verdict {
        match self {
            Self::Address(address) => rules.verdict(address.as_str()),
            Self::Pattern(pattern) => rules.verdict_on_pattern(pattern),
        }
    }

    /// The same in memory of its own, see [`Address::detached`].
    pub(super) fn detached(&self) -> Self {
        match self {
            Self::Address(address) => Self::Address(address.detached()),
            Self::Pattern(pattern) => Self::Pattern(pattern.detached()),
        }
    }
}

/// The registrations of one socket, sorted by address. A pattern and an address of the same text
/// are two.
#[derive(Debug, Default)]
pub(super) struct Registrations(Vec<Held>);

/// One registration, with the places that it takes. The bus forgets it first.
#[derive(Debug)]
pub(super) struct Held {
    registration: Registration,
    pub(super) overflow: Overflow,
    lane: Option<Arc<Lane>>,
    _place: RegistrationPlace,
    /// The socket itself is the handler: nothing about the registration is out of the ordinary.
    is_plain: bool,
}

impl Held {
    pub(super) fn address(&self) -> &Address {
        self.registration.address()
    }

    pub(super) fn is_pattern(&self) -> bool {
        self.registration.is_pattern()
    }
}

impl Registrations {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.0.iter()
    }

    /// Most sockets have one registration, so there is room for no more at first.
    fn insert(&mut self, place: usize, held: Held) {
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.insert(place, held);
    }

    /// Where a registration is, or where it would have to be.
    fn place(&self, target: &Target) -> Result<usize, usize> {
        let wanted = (target.address(), target.is_pattern());
        self.0.binary_search_by(|held| (held.address(), held.is_pattern()).cmp(&wanted))
    }
}

/// The stamp under which all plain registrations were found permitted whatever the body, or, with
/// the topmost bit set, under which they were not.
#[derive(Debug)]
pub(super) struct Judged(AtomicU64);

const MIXED: u64 = 1 << 63;

impl Judged {
    /// Nothing was judged yet.
    pub(super) fn never() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl BridgeSocket {
    /// Registers this socket. The verdict, reached under the stamp, says how much has to be checked
    /// for each message.
    pub(super) fn register(
        self: &Arc<Self>,
        target: &Target,
        verdict: Verdict,
        stamp: u64,
        overflow: Overflow,
    ) -> Result<(), Refusal> {
        let mut registrations = self.registrations.lock();
        let Err(place) = registrations.place(target) else {
            return Err(Refusal::AddressAlreadyRegistered);
        };
        let place_taken =
            self.limits.admit_registration(target.address().as_str(), std::time::Instant::now())?;
        let lane = (overflow != Overflow::Close).then(|| self.lane(overflow));
        let is_plain =
            verdict == Verdict::Permitted && !target.is_pattern() && overflow == Overflow::Close;
        let handler: Arc<dyn Handler> = if is_plain {
            Arc::clone(self) as _
        } else {
            Arc::new(Subscription::new(self, target, verdict, stamp, lane.clone()))
        };
        let bus = &self.core.bus;
        let registration = match target {
            Target::Address(address) => bus.register(address, handler),
            Target::Pattern(pattern) => bus.register_pattern(&pattern.detached(), handler),
        };
        if bus.is_closed() {
            return Err(Refusal::RegistrationFailure);
        }
        let held = Held { registration, overflow, lane, _place: place_taken, is_plain };
        registrations.insert(place, held);
        self.registered.fetch_add(1, Ordering::Relaxed);
        if is_plain && self.judged.0.load(Ordering::Acquire) & !MIXED != stamp {
            // The first, or the rules have changed since the others were judged.
            self.judge_plain(&registrations);
        }
        Ok(())
    }

    /// Ends a registration; that there is none is no error.
    pub(super) fn unregister(&self, target: &Target) {
        let mut registrations = self.registrations.lock();
        if let Ok(place) = registrations.place(target) {
            let held = registrations.0.remove(place);
            self.registered.fetch_sub(1, Ordering::Relaxed);
            drop(registrations);
            self.end(held);
        }
    }

    /// Ends all registrations and gives their addresses, if a hook wants to hear of them.
    pub(super) fn end_registrations(&self) -> Vec<Address> {
        let Registrations(held) = std::mem::take(&mut *self.registrations.lock());
        self.registered.fetch_sub(held.len() as u32, Ordering::Relaxed);
        let hook = self.core.hook.as_ref();
        let addresses = match hook.is_some_and(|hook| hook.wants(EventKind::Unregister)) {
            true => held.iter().map(|held| held.address().clone()).collect(),
            false => Vec::new(),
        };
        held.into_iter().for_each(|held| self.end(held));
        addresses
    }

    /// What is kept back of the registration goes, and its requesters are told.
    fn end(&self, held: Held) {
        let Held { registration, lane, .. } = held;
        drop(registration);
        self.discard(lane.map(|lane| lane.close()).unwrap_or_default());
    }

    /// A way to the client that loses messages rather than the socket.
    fn lane(&self, overflow: Overflow) -> Arc<Lane> {
        let make = || {
            let Core { options, overflow, .. } = &*self.core;
            Backlog::of(&self.sender, options.overflow, Arc::clone(overflow))
        };
        Arc::new(self.backlog.get_or_init(make).lane(&self.sender, overflow))
    }

    /// Whether messages for plain registrations need no look at the rules.
    pub(super) fn trusts_plain(&self) -> bool {
        let stamp = self.rights.stamp();
        match self.judged.0.load(Ordering::Acquire) {
            judged if judged == stamp => true,
            judged if judged == stamp | MIXED => false,
            _ => self.judge_plain(&self.registrations.lock()),
        }
    }

    fn judge_plain(&self, registrations: &Registrations) -> bool {
        let (bound, stamp) = self.rights.bound();
        let mut plain = registrations.iter().filter(|held| held.is_plain);
        let trusts =
            plain.all(|held| bound.outbound.verdict(held.address().as_str()) == Verdict::Permitted);
        let judged = if trusts { stamp } else { stamp | MIXED };
        self.judged.0.store(judged, Ordering::Release);
        trusts
    }

    /// Whether the rules let a message go to the client, by its own address and body.
    pub(super) fn check_outbound(&self, message: &Message) -> bool {
        let (bound, _) = self.rights.bound();
        match bound.outbound.check(message.address().as_str(), message.body()) {
            Ok(()) => true,
            Err(refusal) => {
                self.core.counters.discarded(Discard::NotPermitted);
                self.log_drop(message.address(), &refusal.word());
                false
            }
        }
    }
}
