//! The handle of the bus.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use trolleybus_protocol::{
    Address, BusMessage as _, ConsumerOptions, DeliveryOptions, Error, ErrorKind, EventBus as _,
    IntoBody, Pattern,
};

use super::consumer::Consumer;
use super::metrics::BusMetrics;
use super::near::Near;
use super::registration::{Registration, Target};
use super::shared::Shared;
use super::stats::BusStats;
use super::{Dispatch, Handler, Message};
use crate::meter::Sharded;

/// An event bus inside this process. Clones are handles of the same bus.
///
/// ```
/// use trolleybus::{Bus, BusMessage, EventBus};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), trolleybus::Error> {
/// let bus = Bus::new();
/// let mut orders = bus.consumer("orders");
/// tokio::spawn(async move {
///     while let Some(order) = orders.recv().await {
///         order.reply("accepted").expect("a text is a body");
///     }
/// });
/// let reply = bus.request("orders", "two teas").await?;
/// assert_eq!(reply.body().as_json(), r#""accepted""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bus(Arc<Hold>);

/// What handles hold together.
struct Hold {
    shared: Arc<Shared>,
    /// What requests and registrations take instead.
    near: Sharded<Near>,
}

impl Bus {
    /// A bus without consumers.
    #[must_use]
    pub fn new() -> Self {
        Self::of(None)
    }

    /// A bus that tells `metrics` of everything that happens on it.
    #[must_use]
    pub fn with_metrics(metrics: Arc<dyn BusMetrics>) -> Self {
        Self::of(Some(metrics))
    }

    fn of(metrics: Option<Arc<dyn BusMetrics>>) -> Self {
        let shared = Arc::new(Shared::new(metrics));
        let near = Sharded::with(|| Near::new(&shared));
        Self(Arc::new(Hold { shared, near }))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// The same, in a form that is cheap to take along.
    pub(super) fn near(&self) -> &Near {
        self.0.near.here()
    }

    /// Consumes an address with a buffer of `len` messages instead of [`DEFAULT_BUFFER`].
    ///
    /// [`DEFAULT_BUFFER`]: super::DEFAULT_BUFFER
    pub fn consumer_with_buffer(&self, address: impl Into<Address>, len: usize) -> Consumer {
        self.consumer_with(address, ConsumerOptions::new().max_buffered(len))
    }

    /// Consumes an address with an async function, called for one message at a time. A panic in
    /// it is logged and fails the request that it was serving; the consumer goes on.
    ///
    /// The task ends when the bus closes, or when it is aborted through the handle given back.
    /// Has to be called inside a tokio runtime.
    pub fn consumer_fn<H, F>(&self, address: impl Into<Address>, handler: H) -> JoinHandle<()>
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.consumer_fn_with(address, ConsumerOptions::new(), handler)
    }

    /// As [`Bus::consumer_fn`], with options. For a pattern that is none the task ends at once.
    pub fn consumer_fn_with<H, F>(
        &self,
        address: impl Into<Address>,
        options: ConsumerOptions,
        mut handler: H,
    ) -> JoinHandle<()>
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut consumer = self.consumer_with(address, options);
        tokio::spawn(async move {
            while let Some(message) = consumer.recv().await {
                let call = AssertUnwindSafe(async { handler(message.clone()).await });
                if call.catch_unwind().await.is_err() {
                    tracing::error!(address = %message.address(), "a consumer panicked");
                    message.fail_with(Error::new(ErrorKind::Other, "the consumer panicked"));
                }
            }
        })
    }

    /// Registers a handler of one's own. The handler is called in the sender's task, so it must
    /// only queue.
    pub fn register(&self, address: &Address, handler: Arc<dyn Handler>) -> Registration {
        self.register_as(Target::Address(address.detached()), false, handler)
    }

    /// Registers a handler for all addresses that a pattern means. Each registration stands for
    /// itself: who is registered for an address and for patterns that mean it gets a message that
    /// is published there once through each.
    pub fn register_pattern(&self, pattern: &Pattern, handler: Arc<dyn Handler>) -> Registration {
        self.register_as(Target::Pattern(Arc::new(pattern.clone())), false, handler)
    }

    pub(super) fn register_as(
        &self,
        target: Target,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) -> Registration {
        let id = self.shared().register(&target, is_local, handler);
        Registration::new(self.near().clone(), target, id)
    }

    /// The counters as they stand.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.shared().counters.snapshot()
    }

    /// True after [`Bus::close`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared().is_closed()
    }

    /// Ends all registrations: streams end, tasks of consumers end, and what is sent from now on
    /// is refused.
    pub fn close(&self) {
        self.shared().close();
    }

    pub(super) fn prepare(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<Dispatch, Error> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the bus is closed"));
        }
        let DeliveryOptions { headers, local_only, .. } = options;
        Ok(Dispatch { address: address.into(), body: body.into_body()?, headers, local_only })
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bus").field(&self.stats()).finish()
    }
}
