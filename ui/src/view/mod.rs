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

/// Draws the page into `#app`, in place of what the static page shows until then.
pub(crate) fn draw() {
    let place = gloo::utils::document().get_element_by_id("app");
    let place = place.expect("invariant: index.html has #app");
    yew::Renderer::<app::App>::with_root(place).render();
}
