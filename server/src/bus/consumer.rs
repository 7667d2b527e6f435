//! Consumers: the stream of one address, or of one pattern.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::mpsc;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{
    Address, BusConsumer, BusMessage as _, ConsumerOptions, Error, ErrorKind, Pattern,
};

use super::buffer::{Buffer, Flow};
use super::metrics::DiscardReason;
use super::registration::{Registration, Target};
use super::{Bus, Message};

/// Messages that a consumer's buffer holds unless it is made with another bound.
pub const DEFAULT_BUFFER: usize = 1000;

/// The messages of one address, or of one pattern, as a stream. It ends when the bus closes;
/// dropping it unregisters. Messages wait in a buffer of bounded length; one that arrives while
/// the buffer is full is discarded and counted, and its requester is told at once.
#[derive(Debug)]
pub struct Consumer {
    address: Address,
    completion: Completion,
    flow: Arc<Flow>,
    /// None once it is unregistered.
    standing: Option<(mpsc::Receiver<Message>, Registration)>,
}

impl Consumer {
    pub(super) fn new(bus: &Bus, address: Address, options: &ConsumerOptions) -> Self {
        let len = options.max_buffered.unwrap_or(DEFAULT_BUFFER);
        let (buffer, messages, flow) = Buffer::new(bus.shared(), len);
        let target = match options.is_pattern {
            false => Ok(Target::Address(address.detached())),
            true => match Pattern::parse(address.detached()) {
                Ok(pattern) => Ok(Target::Pattern(Arc::new(pattern))),
                Err(_) => Err(Error::refused(Refusal::InvalidPattern)),
            },
        };
        let target = match bus.is_closed() {
            true => Err(Error::new(ErrorKind::Closed, "the bus is closed")),
            false => target,
        };
        match target {
            Err(error) => {
                Self { address, completion: Completion(Err(error)), flow, standing: None }
            }
            Ok(target) => {
                let registration = bus.register_as(target, options.local_only, Arc::new(buffer));
                let standing = Some((messages, registration));
                Self { address, completion: Completion(Ok(())), flow, standing }
            }
        }
    }

    /// The next message; `None` once the consumer is unregistered or the bus closed.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// How many messages wait in the buffer.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.standing.as_ref().map_or(0, |(messages, _)| messages.len())
    }

    fn end(&mut self) {
        let Some((mut messages, registration)) = self.standing.take() else {
            return;
        };
        let bus = registration.bus().clone();
        drop(registration);
        messages.close();
        while let Ok(message) = messages.try_recv() {
            self.flow.discard(Some(&bus), &message, DiscardReason::Unregistered);
        }
    }
}

impl BusConsumer for Consumer {
    type Completion = Completion;

    fn address(&self) -> &Address {
        &self.address
    }

    fn is_registered(&self) -> bool {
        let standing = self.standing.as_ref();
        standing.is_some_and(|(_, registration)| !registration.bus().is_closed())
    }

    fn pause(&self) {
        self.flow.pause();
    }

    fn resume(&self) {
        self.flow.resume();
    }

    fn fetch(&self, messages: u64) {
        self.flow.fetch(messages);
    }

    fn completion(&self) -> Completion {
        self.completion.clone()
    }

    fn unregister(&mut self) -> Completion {
        self.end();
        Completion(Ok(()))
    }

    fn on_discard(&self, callback: impl Fn(&Message) + Send + Sync + 'static) {
        self.flow.on_discard(Arc::new(callback));
    }
}

impl Stream for Consumer {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Self { flow, standing, .. } = self.get_mut();
        let Some((messages, registration)) = standing else {
            return Poll::Ready(None);
        };
        if !flow.is_wanted() {
            flow.wait(cx.waker());
            if !flow.is_wanted() {
                let is_over = flow.has_ended() && messages.is_empty();
                return if is_over { Poll::Ready(None) } else { Poll::Pending };
            }
        }
        let message = ready!(messages.poll_recv(cx));
        if let Some(message) = &message {
            flow.take_one();
            if let Some(metrics) = &registration.bus().metrics {
                metrics.message_delivered(message.address());
            }
        }
        Poll::Ready(message)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a registration, its end or a write went. On one node that is known at once, so it is
/// always ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion(pub(super) Result<(), Error>);

impl Future for Completion {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use trolleybus_protocol::EventBus as _;

    use super::*;

    #[tokio::test]
    async fn a_paused_consumer_ends_with_its_bus_once_it_is_empty() {
        let bus = Bus::new();
        let (mut empty, mut full) = (bus.consumer("a"), bus.consumer("b"));
        empty.pause();
        full.pause();
        bus.send("b", &1).unwrap();
        let waiting = tokio::spawn(async move { empty.recv().await.is_none() });
        tokio::task::yield_now().await;
        bus.close();
        assert!(waiting.await.unwrap());
        assert!(!full.is_registered() && full.recv().now_or_never().is_none());
        full.fetch(1);
        assert!(full.recv().await.is_some());
        assert!(full.recv().await.is_none());
    }

    #[tokio::test]
    async fn demand_wakes_who_waits_for_it() {
        let bus = Bus::new();
        let consumer = bus.consumer("a");
        consumer.pause();
        let flow = Arc::clone(&consumer.flow);
        bus.send("a", &1).unwrap();
        let mut consumer = consumer;
        let waiting = tokio::spawn(async move { consumer.recv().await.is_some() });
        tokio::task::yield_now().await;
        flow.resume();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn a_closed_bus_registers_nobody() {
        let bus = Bus::new();
        bus.close();
        let consumer = bus.consumer("a");
        assert_eq!(consumer.completion().await.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(bus.stats().registrations, 0);
    }

    #[tokio::test]
    async fn a_buffer_for_nothing_holds_one() {
        let bus = Bus::new();
        let consumer = bus.consumer_with_buffer("a", 0);
        bus.send("a", &1).unwrap();
        bus.send("a", &2).unwrap();
        assert_eq!((consumer.buffered(), bus.stats().buffer_full), (1, 1));
    }
}
