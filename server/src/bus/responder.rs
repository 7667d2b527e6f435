//! Consumers without a queue: a function that answers in the sender's task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use trolleybus_protocol::{Address, BusMessage as _, Error, ErrorKind};

use super::metrics::BusMetrics;
use super::{Bus, Delivery, Handler, Message, Registration};

impl Bus {
    /// Consumes an address with a function that is called in the sender's task, which saves a
    /// queue and a change of tasks for each message. It is for answers that are at hand: it must
    /// not block, and while it runs its sender does nothing else. Calls may overlap. A panic in it
    /// is logged and fails the request that it was serving. It ends with the registration.
    ///
    /// ```
    /// use trolleybus::{Bus, BusMessage, EventBus};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), trolleybus::Error> {
    /// let bus = Bus::new();
    /// let _registration = bus.responder("version", |message| {
    ///     message.reply("1.0").expect("a text is a body");
    /// });
    /// assert_eq!(bus.request("version", &()).await?.body().as_json(), r#""1.0""#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the consumer ends with its registration"]
    pub fn responder(
        &self,
        address: impl Into<Address>,
        answer: impl Fn(&Message) + Send + Sync + 'static,
    ) -> Registration {
        let metrics = self.shared().metrics.clone();
        self.register(&address.into(), Arc::new(Responder { answer, metrics }))
    }
}

struct Responder<F> {
    answer: F,
    metrics: Option<Arc<dyn BusMetrics>>,
}

impl<F: Fn(&Message) + Send + Sync + 'static> Handler for Responder<F> {
    fn deliver(&self, message: &Message) -> Delivery {
        if let Some(metrics) = &self.metrics {
            metrics.message_delivered(message.address());
        }
        if catch_unwind(AssertUnwindSafe(|| (self.answer)(message))).is_err() {
            tracing::error!(address = %message.address(), "a responder panicked");
            message.fail_with(Error::new(ErrorKind::Other, "the responder panicked"));
        }
        Delivery::Taken
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::EventBus as _;

    use super::*;

    #[tokio::test]
    async fn it_answers_before_the_sender_goes_on() {
        let bus = Bus::new();
        let registration = bus.responder("a", |message| {
            message.reply(message.body().clone()).unwrap();
        });
        let asked = bus.request("a", &1);
        assert_eq!(asked.await.unwrap().body().as_json(), "1");
        drop(registration);
        assert_eq!(bus.request("a", &1).await.unwrap_err().kind(), ErrorKind::NoHandlers);
    }

    #[tokio::test]
    async fn one_that_says_nothing_or_panics_fails_the_request_at_once() {
        let bus = Bus::new();
        let _silent = bus.responder("silent", |_| {});
        let _broken = bus.responder("broken", |_| panic!("on purpose"));
        assert_eq!(bus.request("silent", &1).await.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(bus.request("broken", &1).await.unwrap_err().kind(), ErrorKind::Other);
    }
}
