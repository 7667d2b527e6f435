//! The wires, the trolleybus under them, and the connection's state on a sign.

use gloo::timers::callback::Interval;
use yew::prelude::*;

use super::bus::Bus;
use crate::browser;
use crate::model::{Link, Moment, seconds_left};

#[derive(Properties, PartialEq)]
pub(crate) struct SceneProps {
    pub(crate) link: Link,
    /// How many words were sent and messages received; a change of it sparks.
    pub(crate) sent: u32,
    pub(crate) received: u32,
}

#[component]
pub(crate) fn Scene(props: &SceneProps) -> Html {
    let state = props.link.word();
    html! {
        <div class="scene" data-state={state}>
            <div class="wires" aria-hidden="true">
                if props.sent > 0 { <i key={format!("out{}", props.sent)} class="spark out" /> }
                if props.received > 0 { <i key={format!("back{}", props.received)} class="spark back" /> }
            </div>
            <Bus />
            <div class="sign">
                <p role="status">
                    <span class="state" data-testid="state" data-state={state}>{ state }</span>
                    <span class="unseen">{ " over " }</span>
                    <span class="transport" data-testid="transport">{ props.link.transport() }</span>
                </p>
                <p class="detail">{ detail(&props.link) }</p>
            </div>
        </div>
    }
}

fn detail(link: &Link) -> Html {
    match link {
        Link::Connecting => html! { "raising the poles" },
        Link::Open { .. } => html! { "on the wires" },
        Link::Waiting { attempt, until } => html! {
            <>{ format!("attempt {attempt} ") }<Countdown until={*until} /></>
        },
        Link::Closed { code, reason } => html! { format!("{code} {reason}") },
    }
}

#[derive(Properties, PartialEq)]
struct CountdownProps {
    until: Moment,
}

/// The seconds until the next attempt.
#[component]
fn Countdown(props: &CountdownProps) -> Html {
    let now = use_state(browser::now);
    use_effect_with((), {
        let now = now.setter();
        move |()| {
            let interval = Interval::new(250, move || now.set(browser::now()));
            move || drop(interval)
        }
    });
    html! { { format!("in {} s", seconds_left(*now, props.until)) } }
}
