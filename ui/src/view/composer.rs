//! The form: a word, and three ways to send it.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::model::{How, ServedBy};

#[derive(Properties, PartialEq)]
pub(crate) struct ComposerProps {
    pub(crate) served_by: ServedBy,
    pub(crate) say: Callback<(How, String)>,
}

#[component]
pub(crate) fn Composer(props: &ComposerProps) -> Html {
    let input = use_node_ref();
    let send = {
        let (input, say) = (input.clone(), props.say.clone());
        Callback::from(move |how| say_input(&input, how, &say))
    };
    let onsubmit = {
        let send = send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.emit(How::Publish);
        })
    };
    let request = send.reform(|_: MouseEvent| How::Request);
    let echo = send.reform(|_: MouseEvent| How::Echo);
    html! {
        <form class="panel composer" {onsubmit}>
            <label for="word">{ "A word" }</label>
            <div class="row">
                <input ref={input} id="word" data-testid="input" type="text" value="next stop"
                    maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false"
                    enterkeyhint="send" aria-describedby="route" />
                <div class="buttons">
                    <button type="submit" class="main" data-testid="publish">{ "Publish" }</button>
                    <button type="button" data-testid="request" onclick={request}>
                        { "Request" }
                    </button>
                    <button type="button" data-testid="echo" onclick={echo}>{ "Echo" }</button>
                </div>
            </div>
            <dl class="route" id="route">
                <div>
                    <dt>{ "Publish" }</dt>
                    <dd>
                        { "to " }<code>{ props.served_by.request_address() }</code>
                        { ", answers on " }<code>{ props.served_by.response_address() }</code>
                    </dd>
                </div>
                <div>
                    <dt>{ "Request" }</dt>
                    <dd>
                        { "to " }<code>{ props.served_by.request_address() }</code>
                        { ", one reply here" }
                    </dd>
                </div>
                <div>
                    <dt>{ "Echo" }</dt>
                    <dd>{ "a request to " }<code>{ "echo" }</code></dd>
                </div>
            </dl>
        </form>
    }
}

/// Sends what stands in the input and selects it, so that the next word replaces it.
fn say_input(input: &NodeRef, how: How, say: &Callback<(How, String)>) {
    let Some(input) = input.cast::<HtmlInputElement>() else {
        return;
    };
    let text = input.value();
    if !text.is_empty() {
        say.emit((how, text));
    }
    // An input of this type can always be focused; where it cannot, typing goes on by hand.
    let _ = input.focus();
    input.select();
}
