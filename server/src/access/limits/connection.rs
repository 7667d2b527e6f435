//! One connection's share of the limits.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use trolleybus_protocol::codes::{Close, Refusal};

use super::bucket::{Bucket, Rate};
use super::config::Pace;
use super::handle::Shared;
use super::network::Place;
use super::stats::{Refused, Tier};
use super::usage::Usage;

/// What becomes of an envelope that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It passes.
    Pass,
    /// It passes, and the connection is not read again for so long.
    PassThenPause(Duration),
    /// It is over a limit that connections share: [`Refusal::RateLimited`].
    Refuse,
    /// The client goes on although it was told: [`Close::RATE_LIMITED`].
    Close,
}

/// A connection that was let in. Its places are free again when this, and every
/// [`RegistrationPlace`] of it, is dropped.
#[derive(Debug)]
pub struct Admitted(Option<Arc<Connection>>);

#[derive(Debug)]
struct Connection {
    shared: Arc<Shared>,
    /// None for those who are exempt, and where networks have no limits.
    ip: Option<Arc<Usage>>,
    /// Neither the limits of a connection nor those of its network apply.
    is_exempt: bool,
    /// Whether anything has to be asked for each message.
    is_paced: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: Bucket,
    bytes: Bucket,
    refusals: Bucket,
    user: Option<Arc<Usage>>,
    registrations: usize,
}

impl Admitted {
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    /// `ip` is none for those who are exempt.
    pub(super) fn new(
        shared: Arc<Shared>,
        ip: Option<IpAddr>,
        now: Instant,
    ) -> Result<Self, Close> {
        let is_exempt = ip.is_none();
        let pace = if is_exempt { Pace::default() } else { shared.connection };
        let ip = ip.filter(|_| shared.ip.bounds.is_any());
        let ip = ip.map(|ip| shared.ip.names.get(&Place::from(ip), shared.nanos(now)));
        if let Some(ip) = &ip
            && !ip.connections.add(1, shared.ip.bounds.connections)
        {
            shared.counters.count(Refused::Connection, Tier::Ip);
            return Err(Close::TOO_MANY_CONNECTIONS);
        }
        let is_paced = pace.is_limited() || ip.is_some() && shared.ip.bounds.pace.is_limited();
        let is_paced = AtomicBool::new(is_paced);
        Ok(Self(Some(Arc::new(Connection {
            shared,
            ip,
            is_exempt,
            is_paced,
            state: Mutex::default(),
        }))))
    }

    /// Says who stands behind the connection, or that nobody does any more.
    ///
    /// # Errors
    /// [`Close::TOO_MANY_CONNECTIONS`], to close it with, when the user has too many connections
    /// or, with those of this one, too many registrations.
    pub fn set_user(&self, subject: Option<&str>, now: Instant) -> Result<(), Close> {
        match &self.0 {
            Some(connection) => connection.set_user(subject, now),
            None => Ok(()),
        }
    }

    /// What becomes of an envelope of so many bytes.
    #[must_use]
    pub fn admit_message(&self, bytes: usize, clock: impl FnOnce() -> Instant) -> Admission {
        match &self.0 {
            Some(connection) if connection.is_paced.load(Relaxed) => {
                connection.admit_message(connection.shared.nanos(clock()), bytes)
            }
            _ => Admission::Pass,
        }
    }

    /// Whether one more message may go to an address of the bus.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] when too many go there.
    pub fn admit_to(&self, address: &str, clock: impl FnOnce() -> Instant) -> Result<(), Refusal> {
        let Some(connection) = &self.0 else { return Ok(()) };
        let tier = &connection.shared.address;
        if !tier.bounds.pace.is_limited() {
            return Ok(());
        }
        let now = connection.shared.nanos(clock());
        if tier.usage(address, now).take(tier.bounds.pace, now, 0).is_ok() {
            return Ok(());
        }
        connection.shared.counters.count(Refused::Message, Tier::Address);
        connection.state.lock().refused(connection.shared.refusals, now);
        connection.is_paced.store(true, Relaxed);
        Err(Refusal::RateLimited)
    }

    /// Takes a place for one more registration.
    ///
    /// # Errors
    /// [`Refusal::TooManyRegistrations`] when the address, the user or the network has too many.
    pub fn admit_registration(
        &self,
        address: &str,
        now: Instant,
    ) -> Result<RegistrationPlace, Refusal> {
        let Some(connection) = &self.0 else {
            return Ok(RegistrationPlace { connection: None, address: None });
        };
        let (shared, tier) = (&connection.shared, &connection.shared.address);
        let usage = (tier.bounds.registrations > 0).then(|| tier.usage(address, shared.nanos(now)));
        if let Some(usage) = &usage
            && !usage.registrations.add(1, tier.bounds.registrations)
        {
            shared.counters.count(Refused::Registration, Tier::Address);
            return Err(Refusal::TooManyRegistrations);
        }
        if !connection.add_registration() {
            usage.inspect(|usage| usage.registrations.remove(1));
            return Err(Refusal::TooManyRegistrations);
        }
        Ok(RegistrationPlace { connection: Some(Arc::clone(connection)), address: usage })
    }
}

impl Connection {
    fn admit_message(&self, now: u64, bytes: usize) -> Admission {
        let shared = &self.shared;
        let mut state = self.state.lock();
        if shared.refusals.is_some_and(|rate| state.refusals.is_empty(rate, now)) {
            shared.counters.count(Refused::Message, Tier::Connection);
            return Admission::Close;
        }
        let pace = if self.is_exempt { Pace::default() } else { shared.connection };
        let pause = state.charge(pace, now, bytes);
        let is_over = |usage: &Option<Arc<Usage>>, pace| {
            usage.as_ref().is_some_and(|usage| usage.take(pace, now, bytes).is_err())
        };
        let over = if is_over(&self.ip, shared.ip.bounds.pace) {
            Some(Tier::Ip)
        } else {
            is_over(&state.user, shared.user.bounds.pace).then_some(Tier::User)
        };
        if let Some(tier) = over {
            shared.counters.count(Refused::Message, tier);
            state.refused(shared.refusals, now);
            return Admission::Refuse;
        }
        if pause.is_zero() {
            return Admission::Pass;
        }
        shared.counters.paused();
        Admission::PassThenPause(pause)
    }

    fn set_user(&self, subject: Option<&str>, now: Instant) -> Result<(), Close> {
        let (shared, tier) = (&self.shared, &self.shared.user);
        let subject = subject.filter(|_| tier.bounds.is_any());
        let user = subject.map(|subject| tier.usage(subject, shared.nanos(now)));
        let mut state = self.state.lock();
        if user.as_ref().map(Arc::as_ptr) == state.user.as_ref().map(Arc::as_ptr) {
            return Ok(());
        }
        if let Some(user) = &user {
            if !user.connections.add(1, tier.bounds.connections) {
                shared.counters.count(Refused::Connection, Tier::User);
                return Err(Close::TOO_MANY_CONNECTIONS);
            }
            if !user.registrations.add(state.registrations, tier.bounds.registrations) {
                user.connections.remove(1);
                shared.counters.count(Refused::Connection, Tier::User);
                return Err(Close::TOO_MANY_CONNECTIONS);
            }
            if tier.bounds.pace.is_limited() {
                self.is_paced.store(true, Relaxed);
            }
        }
        state.leave_user();
        state.user = user;
        Ok(())
    }

    fn add_registration(&self) -> bool {
        let bounds = (self.shared.ip.bounds, self.shared.user.bounds);
        let mut state = self.state.lock();
        if let Some(ip) = &self.ip
            && !ip.registrations.add(1, bounds.0.registrations)
        {
            self.shared.counters.count(Refused::Registration, Tier::Ip);
            return false;
        }
        if let Some(user) = &state.user
            && !user.registrations.add(1, bounds.1.registrations)
        {
            self.ip.iter().for_each(|ip| ip.registrations.remove(1));
            self.shared.counters.count(Refused::Registration, Tier::User);
            return false;
        }
        state.registrations += 1;
        true
    }

    fn remove_registration(&self) {
        let mut state = self.state.lock();
        state.registrations -= 1;
        self.ip.iter().chain(&state.user).for_each(|usage| usage.registrations.remove(1));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.get_mut().leave_user();
        self.ip.iter().for_each(|ip| ip.connections.remove(1));
    }
}

impl State {
    /// Pays for a message whatever the balance; gives how long to read nothing.
    fn charge(&mut self, pace: Pace, now: u64, bytes: usize) -> Duration {
        let messages = pace.messages.map(|rate| self.messages.charge(rate, now, 1));
        let bytes = pace.bytes.map(|rate| self.bytes.charge(rate, now, bytes as u64));
        messages.max(bytes).unwrap_or_default()
    }

    fn refused(&mut self, rate: Option<Rate>, now: u64) {
        if let Some(rate) = rate {
            self.refusals.take(rate, now, 1).ok();
        }
    }

    fn leave_user(&mut self) {
        if let Some(user) = self.user.take() {
            user.connections.remove(1);
            user.registrations.remove(self.registrations);
        }
    }
}

/// The place of a registration. It is free again when this is dropped.
#[derive(Debug)]
pub struct RegistrationPlace {
    connection: Option<Arc<Connection>>,
    address: Option<Arc<Usage>>,
}

impl Drop for RegistrationPlace {
    fn drop(&mut self) {
        self.connection.iter().for_each(|connection| connection.remove_registration());
        self.address.iter().for_each(|address| address.registrations.remove(1));
    }
}
