//! Consuming an address with a callback.

use std::rc::Rc;

use trolleybus_client::{Address, ConsumerOptions, Message};
use yew::prelude::*;

use crate::Standing;
use crate::standing::use_registration;

/// Calls `on_message` for each message at `address`, for as long as the component is mounted, and
/// gives how the registration stands. `on_message` may be another closure at each drawing, with
/// the values of that drawing in it: the latest one is called, and nothing is registered anew.
/// That happens when the address or the bus is another one.
///
/// Messages come one at a time and in order, between drawings.
///
/// ```
/// use trolleybus_yew::{BusMessage, use_consumer_fn};
/// use yew::prelude::*;
///
/// #[derive(PartialEq, Properties)]
/// struct Props {
///     name: AttrValue,
/// }
///
/// /// Answers whoever asks this component.
/// #[component]
/// fn Waiter(props: &Props) -> Html {
///     let name = props.name.clone();
///     let standing = use_consumer_fn("waiters", move |message| {
///         // Fails when who asked is gone.
///         let _ = message.reply(name.as_str());
///     });
///     match standing.error() {
///         Some(error) => html! { <p>{ format!("nobody can ask: {error}") }</p> },
///         None => html! { <p>{ "at your service" }</p> },
///     }
/// }
/// # let _ = html! { <Waiter name="Ada" /> };
/// ```
#[hook]
pub fn use_consumer_fn<F>(address: impl Into<Address>, on_message: F) -> Standing
where
    F: Fn(Message) + 'static,
{
    use_registration(address.into(), ConsumerOptions::default(), Rc::new(on_message))
}

/// As [`use_consumer_fn`], with options: patterns, and what the server does when this page is too
/// slow. Other options register anew. Nothing is buffered for a callback.
///
/// ```
/// use trolleybus_yew::{BusMessage, ConsumerOptions, Overflow, use_consumer_fn_with};
/// use yew::prelude::*;
///
/// #[component]
/// fn Prices() -> Html {
///     let newest = use_state(String::new);
///     let options = ConsumerOptions::new().pattern().overflow(Overflow::Latest);
///     let setter = newest.setter();
///     use_consumer_fn_with("price.*", options, move |message| {
///         setter.set(format!("{}: {}", message.address(), message.body().as_json()));
///     });
///     html! { <p>{ (*newest).clone() }</p> }
/// }
/// # let _ = html! { <Prices /> };
/// ```
#[hook]
pub fn use_consumer_fn_with<F>(
    address: impl Into<Address>,
    options: ConsumerOptions,
    on_message: F,
) -> Standing
where
    F: Fn(Message) + 'static,
{
    use_registration(address.into(), options, Rc::new(on_message))
}
