//! Hooks that note what they see, or wait.

use std::future::ready;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use trolleybus::bridge::{BridgeEvent, BridgeHook, EventKind, Outcome};

use super::soon;

/// A hook that notes each event and lets it pass.
pub fn noting() -> (impl BridgeHook, UnboundedReceiver<String>) {
    noting_and(BridgeEvent::accept)
}

/// A hook that notes each event and decides.
pub fn noting_and(
    decide: impl Fn(BridgeEvent) -> Outcome + Send + Sync + 'static,
) -> (impl BridgeHook, UnboundedReceiver<String>) {
    let (log, events) = mpsc::unbounded_channel();
    let hook = move |event: BridgeEvent| {
        log.send(format!("{} {}", event.kind(), event.address()).trim_end().to_owned()).ok();
        ready(decide(event))
    };
    (hook, events)
}

/// A hook that lets everything pass but one kind of event.
pub fn rejecting(kind: EventKind) -> impl BridgeHook {
    move |event: BridgeEvent| {
        ready(if event.kind() == kind { event.reject() } else { event.accept() })
    }
}

/// A hook that waits for a permit at each event of `kind` whose address is `slow`, or that has none.
pub fn gated(kind: EventKind) -> (impl BridgeHook, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let inner = Arc::clone(&gate);
    let hook = move |event: BridgeEvent| {
        let gate = Arc::clone(&inner);
        async move {
            if event.kind() == kind && matches!(event.address(), "slow" | "") {
                gate.acquire().await.unwrap().forget();
            }
            event.accept()
        }
    };
    (hook, gate)
}

/// The next event that was noted.
pub async fn next(events: &mut UnboundedReceiver<String>) -> String {
    soon(events.recv()).await.unwrap()
}

/// The next events that were noted, in order.
pub async fn expect(events: &mut UnboundedReceiver<String>, expected: &[&str]) {
    for event in expected {
        assert_eq!(next(events).await, *event);
    }
}
