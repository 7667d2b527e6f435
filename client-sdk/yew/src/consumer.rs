//! Consuming an address into the state of a component.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use trolleybus_client::{Address, BusMessage as _, ConsumerOptions, Error, Message};
use yew::prelude::*;

use crate::Standing;
use crate::standing::use_registration;

/// Gives the latest message at `address`, its body read as a `T`, and draws the component again
/// when another one comes. The registration ends with the component; another address starts from
/// nothing.
///
/// A body that is no `T` is an error until the next that is one ([`Consumed::error`]). To reply to
/// messages, or to read them in ways of your own, there is
/// [`use_consumer_fn`](crate::use_consumer_fn).
///
/// ```
/// use trolleybus_yew::use_consumer;
/// use yew::prelude::*;
///
/// #[component]
/// fn Clock() -> Html {
///     let time = use_consumer::<String>("time");
///     match (time.latest(), time.error()) {
///         (_, Some(error)) => html! { <p>{ error.to_string() }</p> },
///         (Some(time), None) => html! { <p>{ time }</p> },
///         (None, None) => html! { <p>{ "no time yet" }</p> },
///     }
/// }
/// # let _ = html! { <Clock /> };
/// ```
#[hook]
pub fn use_consumer<T>(address: impl Into<Address>) -> Consumed<T>
where
    T: DeserializeOwned + 'static,
{
    use_inbox(address.into(), ConsumerOptions::default(), 1)
}

/// As [`use_consumer`], with options, and for the latest `keep` messages, at least 1. Other options
/// register anew and start from nothing; another `keep` does not.
///
/// ```
/// use trolleybus_yew::{BusMessage, ConsumerOptions, use_consumer_with};
/// use yew::prelude::*;
///
/// #[component]
/// fn Chat() -> Html {
///     let lines = use_consumer_with::<String>("chat.*", ConsumerOptions::new().pattern(), 50);
///     html! {
///         <ul>
///             { for lines.iter().map(|line| html! {
///                 <li key={line.number()}>{ line.message().address() }{ ": " }{ line.body() }</li>
///             }) }
///         </ul>
///     }
/// }
/// # let _ = html! { <Chat /> };
/// ```
#[hook]
pub fn use_consumer_with<T>(
    address: impl Into<Address>,
    options: ConsumerOptions,
    keep: usize,
) -> Consumed<T>
where
    T: DeserializeOwned + 'static,
{
    use_inbox(address.into(), options, keep)
}

#[hook]
fn use_inbox<T>(address: Address, options: ConsumerOptions, keep: usize) -> Consumed<T>
where
    T: DeserializeOwned + 'static,
{
    let bus = crate::use_bus();
    let key = (bus, address.clone(), options.clone());
    let inbox = use_memo(key, |_| RefCell::new(Inbox::<T>::default()));
    let drawing = use_force_update();
    let standing = use_registration(address, options, {
        let inbox = inbox.clone();
        Rc::new(move |message| {
            inbox.borrow_mut().take(message, keep.max(1));
            drawing.force_update();
        })
    });
    let inbox = inbox.borrow();
    let (messages, misfit) = (inbox.messages.clone(), inbox.misfit.clone());
    Consumed { messages, misfit, standing }
}

/// What came in while one registration stands.
struct Inbox<T> {
    /// Oldest first.
    messages: VecDeque<Rc<Received<T>>>,
    misfit: Option<Error>,
    ever: u64,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), misfit: None, ever: 0 }
    }
}

impl<T: DeserializeOwned> Inbox<T> {
    fn take(&mut self, message: Message, keep: usize) {
        match message.body_as() {
            Ok(body) => {
                self.ever += 1;
                self.misfit = None;
                let received = Received { number: self.ever, body, message };
                self.messages.push_back(Rc::new(received));
            }
            Err(error) => self.misfit = Some(error),
        }
        let beyond = self.messages.len().saturating_sub(keep);
        self.messages.drain(..beyond);
    }
}

/// The latest messages of an address, see [`use_consumer`]: what they were when the component was
/// drawn.
#[derive(Debug)]
pub struct Consumed<T> {
    messages: VecDeque<Rc<Received<T>>>,
    misfit: Option<Error>,
    standing: Standing,
}

impl<T> Consumed<T> {
    /// The body of the latest message.
    #[must_use]
    pub fn latest(&self) -> Option<&T> {
        self.messages.back().map(|latest| latest.body())
    }

    /// The messages that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Received<T>> + ExactSizeIterator {
        self.messages.iter().map(|received| &**received)
    }

    /// Why there may be less here than was sent: no messages come, or the body of the last one was
    /// no `T`; that text names the place that does not fit.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.standing.error().or(self.misfit.as_ref())
    }

    /// How the registration stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl<T> Clone for Consumed<T> {
    fn clone(&self) -> Self {
        let (messages, misfit) = (self.messages.clone(), self.misfit.clone());
        Self { messages, misfit, standing: self.standing.clone() }
    }
}

/// A message with its body read.
#[derive(Debug)]
pub struct Received<T> {
    number: u64,
    body: T,
    message: Message,
}

impl<T> Received<T> {
    /// The body.
    #[must_use]
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The whole message: its address, its headers, and the way to reply.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Counts the messages of this registration from 1; a key for lists.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}
