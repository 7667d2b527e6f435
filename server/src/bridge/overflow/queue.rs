//! Messages kept back for one socket, bounded for each registration and for all of them; pure.

use std::collections::{BTreeMap, HashMap, VecDeque};

use ahash::RandomState;
use serde::{Deserialize, Serialize};
use trolleybus_protocol::envelope::with_dropped;
use trolleybus_protocol::{Address, Overflow};

use super::Counters;
use crate::bridge::sockets::SocketId;
use crate::session::Outgoing;

/// What a message costs besides its text and its SockJS frame.
const OVERHEAD: usize = 256;

/// How much is kept back at most for clients that chose to lose messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Messages of one registration: 64.
    pub messages: usize,
    /// Bytes of one registration, texts and frames: 262,144. One message may be longer.
    pub bytes: usize,
    /// Bytes of all registrations of one socket: 1,048,576.
    pub bytes_per_socket: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages: 64, bytes: 256 * 1024, bytes_per_socket: 1024 * 1024 }
    }
}

/// The number of a registration.
pub(super) type LaneId = u64;
/// The order in which messages came.
type Ticket = u64;

/// All that is kept back for one socket, in the order in which it came.
#[derive(Debug)]
pub(super) struct Queue {
    /// Whose it is, for the log.
    socket: SocketId,
    bounds: Bounds,
    entries: BTreeMap<Ticket, Entry>,
    lanes: HashMap<LaneId, State, RandomState>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    lane: LaneId,
    message: Kept,
    cost: usize,
}

/// A message that is kept back.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) address: Address,
    pub(super) outgoing: Outgoing,
    /// Where the requester waits, if one does.
    pub(super) reply_address: Option<Address>,
}

#[derive(Debug)]
struct State {
    policy: Overflow,
    tickets: VecDeque<Ticket>,
    bytes: usize,
    /// Dropped since the client was told.
    dropped: u64,
}

/// Reply addresses of requests among the messages that were dropped.
pub(super) type Discarded = Vec<Address>;

impl Queue {
    pub(super) fn new(socket: SocketId, bounds: Bounds) -> Self {
        let (entries, lanes) = (BTreeMap::new(), HashMap::default());
        Self { socket, bounds, entries, lanes, bytes: 0, next: 0 }
    }

    pub(super) fn open(&mut self, policy: Overflow) -> LaneId {
        let id = self.ticket();
        let state = State { policy, tickets: VecDeque::new(), bytes: 0, dropped: 0 };
        self.lanes.insert(id, state);
        id
    }

    /// Forgets a registration and what is kept back of it.
    pub(super) fn close(&mut self, id: LaneId) -> Discarded {
        let tickets = self.lanes.remove(&id).map(|lane| lane.tickets).unwrap_or_default();
        let entries = tickets.into_iter().filter_map(|ticket| self.entries.remove(&ticket));
        let mut discarded = Discarded::new();
        for entry in entries {
            self.bytes -= entry.cost;
            discarded.extend(entry.message.reply_address);
        }
        discarded
    }

    /// None when the registration is over; otherwise whether messages of it wait, so that the next
    /// one must wait behind them.
    pub(super) fn is_behind(&self, id: LaneId) -> Option<bool> {
        self.lanes.get(&id).map(|lane| !lane.tickets.is_empty())
    }

    /// Keeps a message back, and drops what goes over the bounds: of its own registration first,
    /// then the oldest of all.
    pub(super) fn store(&mut self, id: LaneId, message: Kept, counters: &Counters) -> Discarded {
        let mut discarded = Discarded::new();
        let cost = cost(&message);
        let Some(lane) = self.lanes.get(&id) else { return discarded };
        if lane.policy == Overflow::Latest {
            let is_older = |ticket: &&Ticket| {
                self.entries.get(ticket).is_some_and(|old| old.message.address == message.address)
            };
            if let Some(older) = lane.tickets.iter().find(is_older).copied() {
                self.drop_entry(older, counters, &mut discarded);
            }
        }
        while let Some(oldest) = self.lanes.get(&id).and_then(|lane| {
            let is_over =
                lane.tickets.len() >= self.bounds.messages || lane.bytes + cost > self.bounds.bytes;
            lane.tickets.front().copied().filter(|_| is_over)
        }) {
            self.drop_entry(oldest, counters, &mut discarded);
        }
        while self.bytes + cost > self.bounds.bytes_per_socket {
            let Some((&oldest, _)) = self.entries.first_key_value() else { break };
            self.drop_entry(oldest, counters, &mut discarded);
        }
        let fits = self.bytes + cost <= self.bounds.bytes_per_socket;
        let ticket = self.ticket();
        let Some(lane) = self.lanes.get_mut(&id) else { return discarded };
        if !fits {
            lane.dropped += 1;
            counters.count(lane.policy, 1);
            log_drop(self.socket, &message.address, lane.policy);
            discarded.extend(message.reply_address);
            return discarded;
        }
        lane.tickets.push_back(ticket);
        lane.bytes += cost;
        self.bytes += cost;
        self.entries.insert(ticket, Entry { lane: id, message, cost });
        discarded
    }

    /// The oldest message, as it would go out now.
    pub(super) fn front(&self) -> Option<Outgoing> {
        let (_, entry) = self.entries.first_key_value()?;
        let dropped = self.lanes.get(&entry.lane).map_or(0, |lane| lane.dropped);
        Some(telling(entry.message.outgoing.clone(), dropped))
    }

    /// The oldest message has gone out as [`Queue::front`] gave it.
    pub(super) fn pop_front(&mut self) {
        let Some((ticket, entry)) = self.entries.pop_first() else { return };
        self.bytes -= entry.cost;
        if let Some(lane) = self.lanes.get_mut(&entry.lane) {
            lane.leave(ticket, entry.cost);
            lane.dropped = 0;
        }
    }

    /// What a message of a registration that is not behind looks like.
    pub(super) fn telling(&self, id: LaneId, outgoing: Outgoing) -> Outgoing {
        telling(outgoing, self.lanes.get(&id).map_or(0, |lane| lane.dropped))
    }

    /// The client was told how many messages of the registration were dropped.
    pub(super) fn told(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.dropped = 0;
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.next
    }

    fn drop_entry(&mut self, ticket: Ticket, counters: &Counters, discarded: &mut Discarded) {
        let Some(entry) = self.entries.remove(&ticket) else { return };
        self.bytes -= entry.cost;
        if let Some(lane) = self.lanes.get_mut(&entry.lane) {
            lane.leave(ticket, entry.cost);
            lane.dropped += 1;
            counters.count(lane.policy, 1);
            log_drop(self.socket, &entry.message.address, lane.policy);
        }
        discarded.extend(entry.message.reply_address);
    }
}

/// Says the same as of any other message that a socket did not get.
fn log_drop(socket: SocketId, address: &Address, policy: Overflow) {
    let reason = policy.word();
    tracing::debug!(%socket, %address, reason, "message not delivered to a socket");
}

impl State {
    fn leave(&mut self, ticket: Ticket, cost: usize) {
        self.bytes -= cost;
        if self.tickets.front() == Some(&ticket) {
            self.tickets.pop_front();
        } else {
            self.tickets.retain(|held| *held != ticket);
        }
    }
}

/// The text, and the SockJS frame, in which every second byte may be escaped.
fn cost(message: &Kept) -> usize {
    3 * message.outgoing.text_len() + OVERHEAD
}

/// The message, with the number of those that were dropped before it.
fn telling(outgoing: Outgoing, dropped: u64) -> Outgoing {
    if dropped == 0 { outgoing } else { with_dropped(outgoing.text(), dropped).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(address: &str, text: &str) -> Kept {
        let outgoing = Outgoing::from(format!("{{\"{text}\":1}}"));
        Kept { address: address.into(), outgoing, reply_address: None }
    }

    fn drained(queue: &mut Queue) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(front) = queue.front() {
            texts.push(front.text().to_string());
            queue.pop_front();
        }
        assert_eq!(queue.bytes, 0);
        texts
    }

    fn queue(bounds: Bounds) -> (Queue, Counters) {
        (Queue::new(7.into(), bounds), Counters::default())
    }

    #[test]
    fn the_oldest_go_and_the_next_says_how_many() {
        let (mut queue, counters) = queue(Bounds { messages: 2, ..Bounds::default() });
        let lane = queue.open(Overflow::DropOldest);
        for text in ["a", "b", "c", "d"] {
            queue.store(lane, kept("x", text), &counters);
        }
        assert_eq!(queue.is_behind(lane), Some(true));
        assert_eq!(drained(&mut queue), [r#"{"c":1,"dropped":2}"#, r#"{"d":1}"#]);
        assert_eq!(queue.is_behind(lane), Some(false));
        assert_eq!(counters.snapshot().dropped_oldest, 2);
    }

    #[test]
    fn the_latest_of_each_address_stays_in_the_order_of_arrival() {
        let (mut queue, counters) = queue(Bounds::default());
        let lane = queue.open(Overflow::Latest);
        for (address, text) in [("x", "1"), ("y", "2"), ("x", "3"), ("x", "4")] {
            queue.store(lane, kept(address, text), &counters);
        }
        assert_eq!(drained(&mut queue), [r#"{"2":1,"dropped":2}"#, r#"{"4":1}"#]);
        assert_eq!(counters.snapshot().replaced, 2);
    }

    #[test]
    fn registrations_drop_their_own_first_and_share_the_order() {
        let (mut queue, counters) = queue(Bounds { messages: 2, ..Bounds::default() });
        let [one, two] = [1, 2].map(|_| queue.open(Overflow::DropOldest));
        for (lane, text) in [(one, "a"), (two, "b"), (one, "c"), (one, "d"), (two, "e")] {
            queue.store(lane, kept("x", text), &counters);
        }
        let expected = [r#"{"b":1}"#, r#"{"c":1,"dropped":1}"#, r#"{"d":1}"#, r#"{"e":1}"#];
        assert_eq!(drained(&mut queue), expected);
    }

    #[test]
    fn bytes_are_bounded_for_a_registration_and_for_the_socket() {
        let bounds = Bounds { messages: 1000, bytes: 10_000, bytes_per_socket: 15_000 };
        let (mut queue, counters) = queue(bounds);
        let lanes = [1, 2, 3].map(|_| queue.open(Overflow::DropOldest));
        let text = "x".repeat(1000);
        for round in 0..100 {
            for lane in lanes {
                queue.store(lane, kept("x", &format!("{round}{text}")), &counters);
                assert!(queue.bytes <= 15_000);
                assert!(queue.lanes.values().all(|lane| lane.bytes <= 10_000));
            }
        }
        // One message may be longer than a registration's share, none than the socket's.
        queue.store(lanes[0], kept("x", &"y".repeat(4000)), &counters);
        assert!(queue.entries.values().any(|entry| entry.cost > 10_000));
        queue.store(lanes[0], kept("x", &"z".repeat(6000)), &counters);
        assert!(queue.bytes == 0 && queue.entries.is_empty());
        let total: u64 = queue.lanes.values().map(|lane| lane.dropped).sum();
        assert_eq!((total, counters.snapshot().dropped_oldest), (302, 302));
        assert_eq!(queue.telling(lanes[0], "{}".into()).text().find("dropped"), Some(3));
    }

    #[test]
    fn the_log_says_what_was_dropped_and_why() {
        let log = std::env::temp_dir().join(format!("trolleybus-overflow-{}", std::process::id()));
        let file = std::sync::Mutex::new(std::fs::File::create(&log).unwrap());
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(file)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let (mut queue, counters) = queue(Bounds { messages: 1, ..Bounds::default() });
            let lane = queue.open(Overflow::DropOldest);
            queue.store(lane, kept("news", "secret"), &counters);
            queue.store(lane, kept("news", "secret"), &counters);
        });
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("not delivered")).collect();
        let [line] = lines[..] else { panic!("{text}") };
        for part in ["DEBUG", "socket=7", "address=news", "reason=\"drop_oldest\""] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn requests_that_are_dropped_are_named() {
        let (mut queue, counters) = queue(Bounds { messages: 1, ..Bounds::default() });
        let lane = queue.open(Overflow::DropOldest);
        let request =
            |text, reply: &str| Kept { reply_address: Some(reply.into()), ..kept("x", text) };
        assert!(queue.store(lane, request("a", "r1"), &counters).is_empty());
        assert_eq!(queue.store(lane, request("b", "r2"), &counters), ["r1".into()]);
        assert_eq!(queue.close(lane), ["r2".into()]);
        assert_eq!((queue.bytes, queue.is_behind(lane)), (0, None));
        assert!(queue.store(lane, kept("x", "c"), &counters).is_empty() && queue.front().is_none());
    }
}
