//! Messages on their way to a client that wait for the `RECEIVE` hook, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use trolleybus_protocol::BusMessage as _;

use super::HookPort;
use super::event::{BridgeEvent, EventKind, EventMessage};
use super::outcome::Decision;
use crate::bridge::delivery::Parcel;
use crate::bridge::socket::BridgeSocket;
use crate::bridge::sockets::SocketHandle;

/// Messages that may wait for the hook of one socket, and bytes of bodies in them.
const MAX_WAITING: (usize, usize) = (1000, 1 << 20);

/// The messages of one socket that its `RECEIVE` hook has not seen yet.
#[derive(Debug, Default)]
pub(in crate::bridge) struct HookQueue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    bytes: usize,
}

impl HookQueue {
    /// Takes a message; false when too many wait.
    pub(in crate::bridge) fn push(&self, parcel: Parcel) -> bool {
        let mut waiting = self.waiting.lock();
        let bytes = waiting.bytes + parcel.message.body().as_json().len();
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

    fn pop(&self) -> Option<Parcel> {
        let mut waiting = self.waiting.lock();
        let parcel = waiting.parcels.pop_front()?;
        waiting.bytes -= parcel.message.body().as_json().len();
        Some(parcel)
    }

    /// Forgets what waits. Requests among it are told so by being dropped.
    pub(in crate::bridge) fn clear(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        drop(waiting);
    }
}

/// Shows each message to the hook and sends what it lets pass, one after the other. Never ends.
pub(in crate::bridge) async fn drain(socket: Arc<BridgeSocket>) {
    let (Some(hook), Some(queue)) = (&socket.core.hook, &socket.hook_queue) else {
        return std::future::pending().await;
    };
    loop {
        match queue.pop() {
            Some(parcel) => decide(&socket, hook, parcel).await,
            None => queue.changed.notified().await,
        }
    }
}

async fn decide(socket: &Arc<BridgeSocket>, hook: &HookPort, mut parcel: Parcel) {
    let message = EventMessage::of_message(&parcel.message, parcel.address());
    let event = BridgeEvent::new(EventKind::Receive, SocketHandle::new(Arc::clone(socket)));
    match hook.decide(event.with_message(message)).await {
        Decision::Accept => {
            socket.send_parcel(&parcel);
        }
        Decision::Changed(message) => {
            parcel.rewrite(*message);
            socket.send_parcel(&parcel);
        }
        Decision::Reject => socket.drop_parcel(&parcel, "hook"),
        Decision::Answer(answer) => {
            match answer {
                Ok(body) => parcel.message.reply_message(body, Default::default(), None),
                Err(error) => parcel.message.fail_with(error),
            }
            socket.drop_parcel(&parcel, "answered by hook");
        }
    }
}
