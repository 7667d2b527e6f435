//! The handle of the bus and its operations.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use trolleybus_protocol::{
    Address, Body, BusMessage as _, DeliveryOptions, Error, ErrorKind, EventBus, Headers, IntoBody,
};

use super::consumer::{Consumer, DEFAULT_BUFFER, Queue, Registration};
use super::message::Message;
use super::reply::{ReplySink, ReplySlot, Response};
use super::stats::{AddressStats, BusStats, Counters, count};
use super::table::Table;
use super::{Delivery, Handler};

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

pub(super) struct Shared {
    table: Table,
    next_id: AtomicU64,
    is_closed: AtomicBool,
    pub(super) counters: Counters,
}

impl Shared {
    pub(super) fn unregister(&self, address: &Address, id: u64) {
        if self.table.remove(address, id) {
            self.counters.registrations.fetch_sub(1, Relaxed);
        }
    }
}

/// One message on its way in: what the operations of the bus take.
#[derive(Debug)]
pub struct Dispatch {
    /// Where it goes.
    pub address: Address,
    /// What it says.
    pub body: Body,
    /// What goes with it.
    pub headers: Headers,
}

impl Bus {
    /// A bus without consumers.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            table: Table::new(),
            next_id: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            counters: Counters::default(),
        }))
    }

    /// Consumes an address with a buffer of `len` messages instead of [`DEFAULT_BUFFER`].
    pub fn consumer_with_buffer(&self, address: impl Into<Address>, len: usize) -> Consumer {
        let (sender, messages) = mpsc::channel(len.max(1));
        let handler = Arc::new(Queue::new(sender, &self.0));
        Consumer::new(messages, self.register(&address.into(), handler))
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
    #[must_use = "the registration ends when the guard is dropped"]
    pub fn register(&self, address: &Address, handler: Arc<dyn Handler>) -> Registration {
        let id = self.0.next_id.fetch_add(1, Relaxed);
        let address = address.detached();
        self.0.table.insert(&address, id, handler);
        count(&self.0.counters.registrations, 1);
        if self.is_closed() {
            // Closed before or meanwhile: the table must stay empty.
            self.0.unregister(&address, id);
        }
        Registration::new(Arc::clone(&self.0), address, id)
    }

    /// Publishes and gives to how many consumers.
    pub fn publish_message(&self, dispatch: Dispatch) -> usize {
        count(&self.0.counters.published, 1);
        let Some(entry) = self.0.table.find(dispatch.address.as_str()) else {
            count(&self.0.counters.undelivered, 1);
            return 0;
        };
        let Dispatch { address, body, headers } = dispatch;
        let message = Message::new(address, body, headers, false, None);
        let handlers = entry.snapshot();
        let taken = handlers.iter().filter(|handler| handler.deliver(&message) == Delivery::Taken);
        let taken = taken.count();
        count(&self.0.counters.delivered, taken);
        taken
    }

    /// Sends to one consumer; false when there is none.
    pub fn send_message(&self, dispatch: Dispatch) -> bool {
        let Dispatch { address, body, headers } = dispatch;
        self.to_one(&Message::new(address, body, headers, true, None))
    }

    /// Sends to one consumer and hands the answer to `sink`: the reply, the recipient's failure,
    /// or that nobody is there. The caller keeps the time.
    pub fn request_message(&self, dispatch: Dispatch, sink: Box<dyn ReplySink>) {
        let slot = ReplySlot::new(dispatch.address.clone(), sink);
        self.request_through(dispatch, slot);
    }

    fn request_through(&self, dispatch: Dispatch, slot: Arc<ReplySlot>) {
        let Dispatch { address, body, headers } = dispatch;
        let message = Message::new(address, body, headers, true, Some(slot));
        if !self.to_one(&message) {
            message.fail_with(Error::no_handlers(message.address().as_str()));
        }
    }

    /// Offers the message to the handler whose turn it is, and to the next while they are gone.
    fn to_one(&self, message: &Message) -> bool {
        count(&self.0.counters.sent, 1);
        let entry = self.0.table.find(message.address().as_str());
        let mut tries = 0;
        while let Some((handler, handlers)) = entry.as_ref().and_then(|entry| entry.next()) {
            if handler.deliver(message) == Delivery::Taken {
                count(&self.0.counters.delivered, 1);
                return true;
            }
            tries += 1;
            if tries >= handlers {
                break;
            }
        }
        count(&self.0.counters.undelivered, 1);
        false
    }

    /// The counters as they stand.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.0.counters.snapshot()
    }

    /// At most `limit` addresses with consumers that start with `prefix` and sort behind `after`,
    /// in order. It walks over all addresses: for operators, not for each message.
    #[must_use]
    pub fn addresses(&self, prefix: &str, after: &str, limit: usize) -> Vec<AddressStats> {
        self.0.table.page(prefix, after, limit)
    }

    /// True after [`Bus::close`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed.load(Relaxed)
    }

    /// Ends all registrations: streams end, tasks of consumers end, and what is sent from now on
    /// is refused.
    pub fn close(&self) {
        self.0.is_closed.store(true, Relaxed);
        let removed = self.0.table.clear();
        self.0.counters.registrations.fetch_sub(removed as u64, Relaxed);
    }

    fn prepare(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        headers: Headers,
    ) -> Result<Dispatch, Error> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the bus is closed"));
        }
        Ok(Dispatch { address: address.into(), body: body.into_body()?, headers })
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

impl EventBus for Bus {
    type Message = Message;
    type Consumer = Consumer;
    type Response = Response;

    fn publish_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.publish_message(self.prepare(address, body, options.headers)?);
        Ok(())
    }

    fn send_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.send_message(self.prepare(address, body, options.headers)?);
        Ok(())
    }

    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Response {
        match self.prepare(address, body, options.headers) {
            Err(error) => Response::failed(error),
            Ok(dispatch) => {
                let (response, slot) = Response::new(dispatch.address.clone(), options.timeout);
                self.request_through(dispatch, slot);
                response
            }
        }
    }

    fn consumer(&self, address: impl Into<Address>) -> Consumer {
        self.consumer_with_buffer(address, DEFAULT_BUFFER)
    }

    /// On one node the same as [`EventBus::consumer`].
    fn local_consumer(&self, address: impl Into<Address>) -> Consumer {
        self.consumer(address)
    }
}
