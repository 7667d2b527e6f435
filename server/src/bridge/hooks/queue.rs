//! Messages on their way to a client that wait for the `RECEIVE` hook, in order.

use std::collections::VecDeque;
use std::convert::Infallible;

use parking_lot::Mutex;
use tokio::sync::Notify;
use trolleybus_protocol::{Address, BusMessage as _};

use super::HookPort;
use super::client::Client;
use super::event::{BridgeEvent, EventKind, EventMessage};
use super::outcome::Decision;
use crate::bus::Message;

/// Messages that a hook without delay may be shown until those before have been written.
const MAX_IN_A_ROW: u32 = 64;

/// A message on its way to a client.
pub(crate) trait Parcel: Send {
    fn message(&self) -> &Message;

    /// What the client will read as the address.
    fn address(&self) -> &Address;
}

/// Where messages go on when the hook has seen them.
pub(crate) trait Recipient: Send + Sync {
    type Parcel: Parcel;

    /// Sends what the hook has let pass, as it has rewritten it.
    fn pass(&self, parcel: Self::Parcel, rewritten: Option<Box<EventMessage>>);

    /// Forgets what the hook has not let pass. Who waits for an answer is told at once.
    fn withhold(&self, parcel: Self::Parcel, reason: &'static str);
}

/// Messages that may wait for the hook of one client, and bytes of bodies in them.
const MAX_WAITING: (usize, usize) = (1000, 1 << 20);

/// The messages of one client that its `RECEIVE` hook has not seen yet.
#[derive(Debug)]
pub(crate) struct HookQueue<P> {
    waiting: Mutex<Waiting<P>>,
    changed: Notify,
}

#[derive(Debug)]
struct Waiting<P> {
    parcels: VecDeque<P>,
    bytes: usize,
}

impl<P> Default for HookQueue<P> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), changed: Notify::new() }
    }
}

impl<P> Default for Waiting<P> {
    fn default() -> Self {
        Self { parcels: VecDeque::new(), bytes: 0 }
    }
}

impl<P: Parcel> HookQueue<P> {
    /// Takes a message; false when too many wait.
    pub(crate) fn push(&self, parcel: P) -> bool {
        let mut waiting = self.waiting.lock();
        let bytes = waiting.bytes + parcel.message().body().as_json().len();
        if waiting.parcels.len() >= MAX_WAITING.0
            || (bytes > MAX_WAITING.1 && !waiting.parcels.is_empty())
        {
            return false;
        }
        waiting.bytes = bytes;
        waiting.parcels.push_back(parcel);
        drop(waiting);
        self.changed.notify_one();
        true
    }

    fn pop(&self) -> Option<P> {
        let mut waiting = self.waiting.lock();
        let parcel = waiting.parcels.pop_front()?;
        waiting.bytes -= parcel.message().body().as_json().len();
        Some(parcel)
    }

    /// Forgets what waits. Requests among it are told so by being dropped.
    pub(crate) fn clear(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        drop(waiting);
    }
}

/// Shows each message to the hook and hands on what it lets pass, one after the other. Never ends.
pub(crate) async fn drain<R: Recipient>(
    recipient: &R,
    client: Client,
    hook: &HookPort,
    queue: &HookQueue<R::Parcel>,
) -> Infallible {
    let mut in_a_row = 0;
    loop {
        let Some(parcel) = queue.pop() else {
            in_a_row = 0;
            queue.changed.notified().await;
            continue;
        };
        match show(hook, client.clone(), parcel.message(), parcel.address()).await {
            Ok(rewritten) => recipient.pass(parcel, rewritten),
            Err(reason) => recipient.withhold(parcel, reason),
        }
        in_a_row += 1;
        if in_a_row == MAX_IN_A_ROW {
            in_a_row = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Shows the hook a message that is about to go to a client as `address`; gives what it has made of
/// it, or why the client does not get it.
pub(crate) async fn show(
    hook: &HookPort,
    client: Client,
    message: &Message,
    address: &Address,
) -> Result<Option<Box<EventMessage>>, &'static str> {
    let shown = EventMessage::of_message(message, address);
    match hook.ask(BridgeEvent::new(EventKind::Receive, client).with_message(shown)).await {
        Decision::Accept => Ok(None),
        Decision::Changed(rewritten) => Ok(Some(rewritten)),
        Decision::Reject => Err("hook"),
        Decision::Answer(answer) => {
            match answer {
                Ok(body) => message.reply_message(body, Default::default(), None),
                Err(error) => message.fail_with(error),
            }
            Err("answered by hook")
        }
    }
}
