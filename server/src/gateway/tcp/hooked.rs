//! The connection as the hook sees it, from its beginning to its end.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncRead;
use trolleybus_protocol::codes::{Close, Refusal};
use trolleybus_protocol::{Address, BusMessage as _};

use super::driver::{self, Ended};
use super::outbox::Phase;
use super::socket::TcpSocket;
use crate::access::Principal;
use crate::bridge::{
    self, BridgeEvent, Client, ClientKind, Decision, EventKind, EventMessage, Peer, Recipient,
    SendError,
};
use crate::bus::Message;

impl TcpSocket {
    /// Whether the hook wants to see events of this kind.
    pub(super) fn is_watched(&self, kind: EventKind) -> bool {
        self.core.hook.as_ref().is_some_and(|hook| hook.wants(kind))
    }

    /// The connection as a hook gets it.
    pub(super) fn client(self: &Arc<Self>) -> Client {
        Client::of_gateway(Arc::<Self>::clone(self))
    }

    pub(super) fn event(self: &Arc<Self>, kind: EventKind) -> BridgeEvent {
        BridgeEvent::new(kind, self.client())
    }

    /// Asks the hook, if there is one that wants to see this; true unless it says no.
    pub(super) async fn consents(&self, event: BridgeEvent) -> bool {
        let Some(hook) = &self.core.hook else { return true };
        matches!(hook.ask(event).await, Decision::Accept | Decision::Changed(_))
    }
}

/// As [`driver::read`] where there is a hook: it lets the client in, and sees what goes out.
pub(super) async fn converse(
    socket: &Arc<TcpSocket>,
    reader: &mut (impl AsyncRead + Unpin),
) -> Ended {
    if !socket.consents(socket.event(EventKind::Created)).await {
        socket.refuse(Refusal::Rejected, None);
        return Ended::Rejected;
    }
    let (Some(hook), Some(queue)) = (&socket.core.hook, &socket.hook_queue) else {
        return driver::read(socket, reader).await;
    };
    tokio::select! {
        biased;
        never = bridge::drain(&**socket, socket.client(), hook, queue) => match never {},
        ended = driver::read(socket, reader) => ended,
    }
}

/// Tells the hook how a connection ended, unless it was the hook that did not let it in.
pub(super) async fn say_farewell(socket: &Arc<TcpSocket>, registered: Vec<Address>, ended: &Ended) {
    let fault = match ended {
        Ended::Rejected => return,
        Ended::InvalidFrameLength => Some(Refusal::InvalidFrameLength.word()),
        Ended::SlowConsumer => Some(Close::SLOW_CONSUMER.reason),
        _ => None,
    };
    if let Some(hook) = &socket.core.hook {
        bridge::say_farewell(hook, &socket.client(), registered, fault).await;
    }
}

/// A message that waits for the hook.
#[derive(Debug)]
pub(super) struct Parcel {
    message: Message,
    address: Address,
}

impl Parcel {
    pub(super) fn new(message: &Message, address: &Address) -> Self {
        Self { message: message.clone(), address: address.clone() }
    }
}

impl bridge::Parcel for Parcel {
    fn message(&self) -> &Message {
        &self.message
    }

    fn address(&self) -> &Address {
        &self.address
    }
}

impl Recipient for TcpSocket {
    type Parcel = Parcel;

    fn pass(&self, Parcel { message, address }: Parcel, rewritten: Option<Box<EventMessage>>) {
        match rewritten {
            None => self.transmit(&message, &address, message.body(), message.headers()),
            Some(rewritten) => {
                let address = rewritten.address.as_ref().unwrap_or(&address);
                self.transmit(&message, address, &rewritten.body, &rewritten.headers)
            }
        };
    }

    fn withhold(&self, Parcel { message, address }: Parcel, reason: &'static str) {
        tracing::debug!(connection = self.number, %address, reason, "message not delivered");
        self.forget_awaited(&message);
    }
}

impl Peer for TcpSocket {
    fn kind(&self) -> ClientKind {
        ClientKind::Tcp
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.peer)
    }

    fn principal(&self) -> Option<Arc<Principal>> {
        self.rights.principal()
    }

    fn send(&self, text: &str) -> Result<(), SendError> {
        self.push(text).map_err(|_| match self.outbox.phase() {
            Phase::Overflown => SendError::Overflow,
            Phase::Open | Phase::Finished => SendError::Closed,
        })
    }

    fn close(&self) {
        self.outbox.finish();
    }
}
