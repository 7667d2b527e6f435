//! The port to the application's hook.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::event::{BridgeEvent, EventKind};
use super::outcome::{Decision, Outcome};

/// What [`BridgeHook::handle`] returns.
pub type Hooking<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Decides about what happens to the clients of a bridge, and of the gateways beside it. Async
/// closures from [`BridgeEvent`] to [`Outcome`] are hooks.
///
/// While a hook is pending, further envelopes of that client wait, and so do messages to it where
/// the hook sees them: order is kept in both directions, and nothing is dropped. Other clients go on.
/// A hook that panics, or takes longer than the bridge's
/// [`hook_timeout`](crate::bridge::BridgeBuilder::hook_timeout), counts as one that rejects.
///
/// ```
/// use trolleybus::bridge::{BridgeEvent, EventKind, Outcome};
///
/// async fn no_shouting(event: BridgeEvent) -> Outcome {
///     let shouts = |body: &str| body.chars().any(|c| c == '!');
///     match event.message() {
///         Some(message) if event.kind() == EventKind::Publish && shouts(message.body.as_json()) => {
///             event.reject()
///         }
///         _ => event.accept(),
///     }
/// }
/// # fn main() -> Result<(), trolleybus::bridge::ConfigError> {
/// # use trolleybus::{Bus, bridge::{Bridge, BridgeOptions}};
/// let bridge = Bridge::builder(Bus::new(), BridgeOptions::new()).hook(no_shouting).build()?;
/// # Ok(())
/// # }
/// ```
pub trait BridgeHook: Send + Sync + 'static {
    /// Decides about one event.
    fn handle(&self, event: BridgeEvent) -> Hooking<'_>;

    /// Whether it wants to see events of this kind, asked once for each: all, unless it says
    /// otherwise. Kinds that nobody wants cost nothing.
    fn wants(&self, kind: EventKind) -> bool {
        let _ = kind;
        true
    }
}

impl<F, R> BridgeHook for F
where
    F: Fn(BridgeEvent) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    fn handle(&self, event: BridgeEvent) -> Hooking<'_> {
        Box::pin(self(event))
    }
}

/// The hook as the bridge calls it.
#[derive(Clone)]
pub(crate) struct HookPort {
    hook: Arc<dyn BridgeHook>,
    wanted: u16,
    patience: Duration,
}

impl HookPort {
    pub(crate) fn new(hook: Arc<dyn BridgeHook>, patience: Duration) -> Self {
        let wanted = EventKind::ALL.into_iter().filter(|kind| hook.wants(*kind));
        let wanted = wanted.fold(0, |wanted, kind| wanted | bit(kind));
        Self { hook, wanted, patience }
    }

    pub(crate) fn wants(&self, kind: EventKind) -> bool {
        self.wanted & bit(kind) != 0
    }

    /// Asks the hook, if it wants to see this.
    pub(crate) async fn ask(&self, event: BridgeEvent) -> Decision {
        if self.wants(event.kind()) { self.decide(event).await } else { Decision::Accept }
    }

    /// Asks the hook. Whatever goes wrong with it counts as a no.
    pub(crate) async fn decide(&self, event: BridgeEvent) -> Decision {
        let kind = event.kind();
        let asking = async { self.hook.handle(event).await };
        let guarded = AssertUnwindSafe(asking).catch_unwind();
        match tokio::time::timeout(self.patience, guarded).await {
            Ok(Ok(Outcome(decision))) => decision,
            Ok(Err(_)) => {
                tracing::error!(event = kind.as_str(), "the hook panicked");
                Decision::Reject
            }
            Err(_) => {
                tracing::error!(event = kind.as_str(), "the hook did not decide in time");
                Decision::Reject
            }
        }
    }
}

fn bit(kind: EventKind) -> u16 {
    1 << kind as u16
}

impl fmt::Debug for HookPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookPort").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}
