//! Asking, and drawing what became of it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use trolleybus_client::{
    Address, BusMessage as _, Client, DeliveryOptions, Error, EventBus as _, IntoBody,
};
use yew::prelude::*;

use crate::task::Task;

/// Asks `address` when it is told to ([`Asked::ask`]), and draws the component again when the reply
/// is there, its body read as a `T`. One question at a time: another one gives the one before up,
/// and so does the end of the component, or another address.
///
/// ```
/// use trolleybus_yew::use_request;
/// use yew::prelude::*;
///
/// #[component]
/// fn Sum() -> Html {
///     let sum = use_request::<i64>("sum");
///     let ask = {
///         let sum = sum.clone();
///         move |_| sum.ask(&[1, 2])
///     };
///     html! {
///         <>
///             <button onclick={ask} disabled={sum.is_pending()}>{ "1 + 2?" }</button>
///             if let Some(reply) = sum.reply() { <p>{ reply }</p> }
///             if let Some(error) = sum.error() { <p>{ error.to_string() }</p> }
///         </>
///     }
/// }
/// # let _ = html! { <Sum /> };
/// ```
#[hook]
pub fn use_request<T>(address: impl Into<Address>) -> Asked<T>
where
    T: DeserializeOwned + 'static,
{
    use_asked(address.into(), DeliveryOptions::default())
}

/// As [`use_request`], with a timeout or headers of your own. Other options count from the next
/// question on.
#[hook]
pub fn use_request_with<T>(address: impl Into<Address>, options: DeliveryOptions) -> Asked<T>
where
    T: DeserializeOwned + 'static,
{
    use_asked(address.into(), options)
}

#[hook]
fn use_asked<T>(address: Address, options: DeliveryOptions) -> Asked<T>
where
    T: DeserializeOwned + 'static,
{
    let bus = crate::use_bus();
    let question = use_memo((bus.clone(), address.clone()), |_| RefCell::new(Question::default()));
    let outcome = question.borrow().outcome.clone();
    Asked { bus, address, options, question, outcome, drawing: use_force_update() }
}

/// The question under way, and what became of the last.
struct Question<T> {
    /// Held only: without it the question is given up.
    _task: Option<Task>,
    outcome: Outcome<T>,
}

impl<T> Default for Question<T> {
    fn default() -> Self {
        Self { _task: None, outcome: Outcome::Nothing }
    }
}

enum Outcome<T> {
    Nothing,
    Pending,
    Replied(Rc<T>),
    Failed(Error),
}

impl<T> Clone for Outcome<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Pending => Self::Pending,
            Self::Replied(reply) => Self::Replied(reply.clone()),
            Self::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

/// Asks, and tells what became of it; see [`use_request`]. What it tells is what was known when
/// the component was drawn.
pub struct Asked<T> {
    bus: Client,
    address: Address,
    options: DeliveryOptions,
    question: Rc<RefCell<Question<T>>>,
    outcome: Outcome<T>,
    drawing: UseForceUpdateHandle,
}

impl<T: DeserializeOwned + 'static> Asked<T> {
    /// Asks; a question under way is given up, and the last reply forgotten.
    pub fn ask(&self, body: impl IntoBody) {
        let response = self.bus.request_with(self.address.clone(), body, self.options.clone());
        // Weak, because the component may go meanwhile, and with it the task.
        let (question, drawing) = (Rc::downgrade(&self.question), self.drawing.clone());
        let task = Task::spawn(async move {
            let outcome = match response.await.and_then(|reply| reply.body_as()) {
                Ok(reply) => Outcome::Replied(Rc::new(reply)),
                Err(error) => Outcome::Failed(error),
            };
            if let Some(question) = question.upgrade() {
                question.borrow_mut().outcome = outcome;
                drawing.force_update();
            }
        });
        let asked = Question { _task: Some(task), outcome: Outcome::Pending };
        // Outside of the cell: what is given up may call back.
        drop(self.question.replace(asked));
        self.drawing.force_update();
    }
}

impl<T> Asked<T> {
    /// True while the reply is awaited.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.outcome, Outcome::Pending)
    }

    /// The reply to the last question.
    #[must_use]
    pub fn reply(&self) -> Option<&T> {
        match &self.outcome {
            Outcome::Replied(reply) => Some(reply),
            _ => None,
        }
    }

    /// Why the last question has no reply.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Gives the question up, and forgets the last reply.
    pub fn forget(&self) {
        drop(self.question.replace(Question::default()));
        self.drawing.force_update();
    }
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        let (bus, address) = (self.bus.clone(), self.address.clone());
        let (question, outcome) = (self.question.clone(), self.outcome.clone());
        let (options, drawing) = (self.options.clone(), self.drawing.clone());
        Self { bus, address, options, question, outcome, drawing }
    }
}

impl<T> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("address", &self.address).finish_non_exhaustive()
    }
}
