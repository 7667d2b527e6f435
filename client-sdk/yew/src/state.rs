//! The connection's state, and its errors.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt as _;
use trolleybus_client::{Error, State};
use yew::prelude::*;

use crate::provider::{NO_PROVIDER, use_provided};
use crate::task::Task;

/// Where the connection of the nearest [`BusProvider`](crate::BusProvider) stands. The component
/// is drawn again when that changes; states that pass within one drawing may be left out.
///
/// With no provider above it is [`State::Closed`], and the reason says so.
///
/// ```
/// use trolleybus_yew::{State, use_bus_state};
/// use yew::prelude::*;
///
/// #[component]
/// fn Lamp() -> Html {
///     match use_bus_state() {
///         State::Open { transport } => html! { <p>{ format!("open over {transport}") }</p> },
///         State::Closed { reason, .. } => html! { <p>{ format!("closed: {reason}") }</p> },
///         State::Waiting { attempt, .. } => html! { <p>{ format!("attempt {attempt}") }</p> },
///         State::Connecting => html! { <p>{ "connecting" }</p> },
///     }
/// }
/// # let _ = html! { <Lamp /> };
/// ```
#[hook]
pub fn use_bus_state() -> State {
    let (client, is_provided) = use_provided();
    let drawing = use_force_update();
    let state = client.state();
    // What is drawn already needs no drawing.
    let mut drawn = state.clone();
    use_effect_with(client, move |client| {
        let mut states = client.states();
        let task = Task::spawn(async move {
            while let Some(state) = states.next().await {
                if state != drawn {
                    drawn = state;
                    drawing.force_update();
                }
            }
        });
        move || drop(task)
    });
    if is_provided { state } else { State::Closed { code: 1002, reason: NO_PROVIDER.into() } }
}

/// Calls `on_error` for each error that belongs to no request, such as a registration that was
/// refused later on. It may be another closure at each drawing; the latest one is called.
#[hook]
pub fn use_bus_errors<F>(on_error: F)
where
    F: Fn(Error) + 'static,
{
    let (client, _) = use_provided();
    let latest = use_latest(Rc::new(on_error) as Rc<dyn Fn(Error)>);
    use_effect_with(client, move |client| {
        let mut errors = client.errors();
        let task = Task::spawn(async move {
            while let Some(error) = errors.next().await {
                let on_error = latest.borrow().clone();
                on_error(error);
            }
        });
        move || drop(task)
    });
}

/// What the component gave at its last drawing, for what outlives a drawing.
#[hook]
pub(crate) fn use_latest<T: Clone + 'static>(value: T) -> Rc<RefCell<T>> {
    let latest = use_mut_ref({
        let value = value.clone();
        move || value
    });
    latest.replace(value);
    latest
}
