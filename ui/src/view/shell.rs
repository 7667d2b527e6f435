//! Touch the page from anywhere: the command line to copy.

use gloo::timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::browser;
use crate::model::publish_command;

#[component]
pub(crate) fn Shell() -> Html {
    let outcome = use_state(|| None::<bool>);
    let command = use_memo((), |()| publish_command(&browser::origin()));
    use_effect_with(*outcome, {
        let outcome = outcome.setter();
        move |shown| {
            let clear = shown.map(|_| Timeout::new(2_000, move || outcome.set(None)));
            move || drop(clear)
        }
    });
    let onclick = {
        let (command, outcome) = (command.clone(), outcome.setter());
        Callback::from(move |_: MouseEvent| {
            let (command, outcome) = (command.clone(), outcome.clone());
            spawn_local(async move { outcome.set(Some(browser::copy(&command).await)) });
        })
    };
    let said = match *outcome {
        None => "Copy",
        Some(true) => "Copied",
        Some(false) => "Select it",
    };
    html! {
        <section class="shell" aria-labelledby="shell">
            <h2 id="shell">{ "Touch the page from anywhere" }</h2>
            <p>{ "Run this in a shell, and the text appears under Received, here and in every open tab." }</p>
            <div class="command">
                <code data-testid="command">{ (*command).clone() }</code>
                <button type="button" data-testid="copy" {onclick} aria-live="polite">{ said }</button>
            </div>
        </section>
    }
}
