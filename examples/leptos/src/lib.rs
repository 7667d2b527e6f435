//! A Leptos page on the bus: the connection's state, an echo, and what everybody publishes.

use futures_util::StreamExt;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use trolleybus_client::{BusMessage, Client, Error, EventBus, State};
use wasm_bindgen::prelude::wasm_bindgen;

/// Draws the page. The module's loader calls it.
#[wasm_bindgen(start)]
pub fn start() {
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    // Handles stay in one thread, as browsers do; what signals hold may be anything that is `Send`.
    let bus = Client::connect("/eventbus");
    let state = ReadSignal::from_stream_unsync(bus.states());
    let shouted = bus.consumer("demo.response").map(|message| message.body_as::<String>());
    let shouted = ReadSignal::from_stream_unsync(shouted);
    let (text, set_text) = signal(String::new());
    let (reply, set_reply) = signal(None::<Result<String, Error>>);
    // An error is one of the address or the body here; the connection mends itself.
    let (failure, set_failure) = signal(None::<Error>);

    let echo = {
        let bus = bus.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let response = bus.request("echo", text.get());
            spawn_local(async move {
                let reply = response.await.and_then(|reply| reply.body_as());
                // The page may be gone by then.
                set_reply.try_set(Some(reply));
            });
        }
    };
    let shout = move |_| set_failure.set(bus.publish("demo.request", text.get()).err());

    view! {
        <p>"The bus is "<output id="state">{move || word(state.get())}</output></p>
        <form on:submit=echo>
            <input id="text" bind:value=(text, set_text) />
            <button id="echo">"Echo"</button>
            <button id="shout" type="button" on:click=shout>"Shout"</button>
        </form>
        <p>"Echoed: "<output id="echoed">{move || reply.get().map(shown)}</output></p>
        <p>"Shouted: "<output id="shouted">{move || shouted.get().map(shown)}</output></p>
        <p id="failure">{move || failure.get().map(|error| error.to_string())}</p>
    }
}

fn word(state: Option<State>) -> &'static str {
    match state {
        Some(State::Open { .. }) => "open",
        Some(State::Closed { .. }) => "closed",
        Some(State::Waiting { .. }) => "waiting",
        Some(State::Connecting) | None => "connecting",
    }
}

fn shown(result: Result<String, Error>) -> String {
    result.unwrap_or_else(|error| error.to_string())
}
