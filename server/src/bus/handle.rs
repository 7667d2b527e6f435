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
use super::registration::{Registration, Target};
use super::shared::Shared;
use super::stats::BusStats;
use super::{Dispatch, Handler, Message};

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
pub struct Bus(Arc<Shared>);

impl Bus {
    /// A bus without consumers.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared::new(None)))
    }

    /// A bus that tells `metrics` of everything that happens on it.
    #[must_use]
    pub fn with_metrics(metrics: Arc<dyn BusMetrics>) -> Self {
        Self(Arc::new(Shared::new(Some(metrics))))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
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
    pub fn consumer_fn<H, F>(&self, address: impl Into<Address>, mut handler: H) -> JoinHandle<()>
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut consumer = self.consumer(address);
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

    /// Registers a handler for all addresses that a pattern means.
    pub fn register_pattern(&self, pattern: &Pattern, handler: Arc<dyn Handler>) -> Registration {
        self.register_as(Target::Pattern(Arc::new(pattern.clone())), false, handler)
    }

    pub(super) fn register_as(
        &self,
        target: Target,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) -> Registration {
        let id = self.0.next_id();
        self.0.register(&target, id, is_local, handler);
        Registration::new(Arc::clone(&self.0), target, id)
    }

    /// The counters as they stand.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.0.counters.snapshot()
    }

    /// True after [`Bus::close`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends all registrations: streams end, tasks of consumers end, and what is sent from now on
    /// is refused.
    pub fn close(&self) {
        self.0.close();
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
