//! Calls and streams as the hook sees them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use trolleybus_protocol::Address;
use trolleybus_protocol::codes::Refusal;

use super::call::{Call, MessageCall};
use super::failure::Failure;
use super::handle::Core;
use crate::access::Principal;
use crate::bridge::{
    Answer, BridgeEvent, Client, ClientKind, Decision, EventKind, EventMessage, HookPort, Peer,
    SendError, say_farewell,
};

/// Who calls.
struct Caller {
    number: u64,
    remote_addr: Option<SocketAddr>,
    principal: Option<Arc<Principal>>,
}

impl Peer for Caller {
    fn kind(&self) -> ClientKind {
        ClientKind::Http
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote_addr
    }

    fn principal(&self) -> Option<Arc<Principal>> {
        self.principal.clone()
    }

    fn send(&self, _text: &str) -> Result<(), SendError> {
        Err(SendError::Closed)
    }

    fn close(&self) {}
}

/// Who calls, as a hook gets it, where there is one.
pub(super) fn client(core: &Core, call: &Call) -> Option<Client> {
    core.hook.as_ref()?;
    let number = core.watched.fetch_add(1, Relaxed) + 1;
    let (remote_addr, principal) = (call.peer, call.rights.principal());
    Some(Client::of_gateway(Arc::new(Caller { number, remote_addr, principal })))
}

/// Where an answer goes, as a hook is told. On the bus there is no such address.
pub(super) fn label(client: &Client) -> Address {
    format!("http.{}", client.number()).into()
}

/// Asks the hook about a message, and puts what it has rewritten into the call. Gives the answer if
/// the hook has one of its own.
pub(super) async fn ask(
    core: &Core,
    client: &Client,
    kind: EventKind,
    message: &mut MessageCall,
) -> Result<Option<Answer>, Failure> {
    let shown = EventMessage {
        address: Some(message.call.address.clone()),
        body: message.body.clone(),
        headers: message.headers.clone(),
        reply_address: message.reply_address.clone(),
    };
    match decide(core, client, kind, shown).await? {
        Decision::Accept => Ok(None),
        Decision::Reject => Err(Refusal::Rejected.into()),
        Decision::Answer(answer) => Ok(Some(answer)),
        Decision::Changed(rewritten) => {
            message.call.address = rewritten.address.ok_or(Refusal::MissingAddress)?;
            (message.body, message.headers) = (rewritten.body, rewritten.headers);
            Ok(None)
        }
    }
}

/// Whoever waits for the hook takes a place among those who wait.
async fn decide(
    core: &Core,
    client: &Client,
    kind: EventKind,
    message: EventMessage,
) -> Result<Decision, Refusal> {
    let Some(hook) = core.hook.as_ref().filter(|hook| hook.wants(kind)) else {
        return Ok(Decision::Accept);
    };
    let _place = core.place()?;
    Ok(hook.ask(BridgeEvent::new(kind, client.clone()).with_message(message)).await)
}

/// A stream that the hook has let in. When it ends, however that is, the hook is told.
pub(super) struct Presence {
    hook: Option<HookPort>,
    client: Client,
    registered: Vec<Address>,
}

/// What the hook says about a stream.
pub(super) enum Entry {
    /// It may be.
    Stream(Presence),
    /// The hook has taken care of it: there is nothing to stream.
    Answered,
}

impl Presence {
    /// Lets a stream in, as a client that registers one address, which the hook may rewrite.
    pub(super) async fn begin(
        core: &Core,
        client: Client,
        call: &mut Call,
    ) -> Result<Entry, Failure> {
        let mut presence = Self { hook: core.hook.clone(), client, registered: Vec::new() };
        let created = BridgeEvent::new(EventKind::Created, presence.client());
        if !matches!(presence.ask(created).await, Decision::Accept | Decision::Changed(_)) {
            // It does not hear of this client again.
            presence.hook = None;
            return Err(Refusal::Rejected.into());
        }
        match presence.tell(EventKind::Register, call.address.clone()).await {
            Decision::Accept => {}
            Decision::Reject => return Err(Refusal::Rejected.into()),
            Decision::Answer(answer) => return Ok(answer.map(|_| Entry::Answered)?),
            Decision::Changed(rewritten) => {
                call.address = rewritten.address.ok_or(Refusal::MissingAddress)?;
            }
        }
        Ok(Entry::Stream(presence))
    }

    /// The registration stands.
    pub(super) async fn registered(&mut self, address: Address) {
        self.registered.push(address.clone());
        let _ = self.tell(EventKind::Registered, address).await;
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    async fn tell(&self, kind: EventKind, address: Address) -> Decision {
        let event = BridgeEvent::new(kind, self.client());
        self.ask(event.with_message(EventMessage::of_address(address))).await
    }

    async fn ask(&self, event: BridgeEvent) -> Decision {
        match &self.hook {
            Some(hook) => hook.ask(event).await,
            None => Decision::Accept,
        }
    }
}

impl Drop for Presence {
    /// A reader that is gone shows by its stream being dropped, where nothing can be awaited. The
    /// task ends as the hook does, whose time is bounded.
    fn drop(&mut self) {
        let Some(hook) = self.hook.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, registered) = (self.client(), std::mem::take(&mut self.registered));
        runtime.spawn(async move { say_farewell(&hook, &client, registered, None).await });
    }
}
