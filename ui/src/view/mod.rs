//! What the visitor sees. Components get plain values and callbacks; what they decide is in
//! `model`.
//!
//! | File | Draws |
//! |---|---|
//! | `app` | the page, and joins it to the line |
//! | `scene` | the wires, the trolleybus and the connection's state on a sign |
//! | `bus` | the trolleybus itself |
//! | `switch` | a group of radio buttons as a row of plates |
//! | `settings` | the two choices: transport, and who serves |
//! | `composer` | the form |
//! | `figures` | the loss ledger |
//! | `sent`, `received` | the two lists |
//! | `shell` | the command line to copy |

use trolleybus_yew::Client;
use yew::context::ContextProviderProps;
use yew::prelude::*;

use crate::browser;
use crate::line::connect;
use crate::model::TransportChoice;

mod app;
mod bus;
mod composer;
mod figures;
mod received;
mod scene;
mod sent;
mod settings;
mod shell;
mod switch;

/// Connects, and draws the page into `#app`, in place of what the static page shows until then.
pub(crate) fn draw() {
    let place = gloo::utils::document().get_element_by_id("app");
    let place = place.expect("invariant: index.html has #app");
    let choice = TransportChoice::from_word(&browser::parameter("transport"));
    let properties =
        ContextProviderProps { context: connect(choice), children: html! { <app::App /> } };
    yew::Renderer::<ContextProvider<Client>>::with_root_and_props(place, properties).render();
}
