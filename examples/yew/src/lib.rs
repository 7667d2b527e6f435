//! A Yew page on the bus: the connection's state, an echo, and what everybody publishes.

use trolleybus_yew::{
    BusProvider, Error, EventBus, State, use_bus, use_bus_state, use_consumer, use_request,
};
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Draws the page. The module's loader calls it.
#[wasm_bindgen(start)]
pub fn start() {
    yew::Renderer::<App>::new().render();
}

#[component]
fn App() -> Html {
    html! { <BusProvider url="/eventbus"><Page /></BusProvider> }
}

#[component]
fn Page() -> Html {
    let (bus, state) = (use_bus(), use_bus_state());
    let shouted = use_consumer::<String>("demo.response");
    let echoed = use_request::<String>("echo");
    let text = use_state(String::new);
    let failure = use_state(|| None::<Error>);

    let write = {
        let text = text.setter();
        move |event: InputEvent| text.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let echo = {
        let (echoed, text) = (echoed.clone(), text.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            echoed.ask(&*text);
        }
    };
    let shout = {
        let (text, failure) = (text.clone(), failure.setter());
        move |_| failure.set(bus.publish("demo.request", &*text).err())
    };

    let error = failure.as_ref().or(shouted.error()).or(echoed.error());
    html! {
        <>
            <p>{ "The bus is " }<output id="state">{ word(&state) }</output></p>
            <form onsubmit={echo}>
                <input id="text" value={(*text).clone()} oninput={write} />
                <button id="echo" disabled={echoed.is_pending()}>{ "Echo" }</button>
                <button id="shout" type="button" onclick={shout}>{ "Shout" }</button>
            </form>
            <p>{ "Echoed: " }<output id="echoed">{ echoed.reply() }</output></p>
            <p>{ "Shouted: " }<output id="shouted">{ shouted.latest() }</output></p>
            <p id="failure">{ error.map(ToString::to_string) }</p>
        </>
    }
}

fn word(state: &State) -> &'static str {
    match state {
        State::Connecting => "connecting",
        State::Open { .. } => "open",
        State::Waiting { .. } => "waiting",
        State::Closed { .. } => "closed",
    }
}
