//! The list of what was received, newest first.

use std::collections::VecDeque;

use yew::prelude::*;

use crate::model::{Received, Tab, Way, shown};

#[derive(Properties, PartialEq)]
pub(crate) struct ReceivedListProps {
    pub(crate) entries: VecDeque<Received>,
    pub(crate) tab: Tab,
}

#[component]
pub(crate) fn ReceivedList(props: &ReceivedListProps) -> Html {
    let newest = props.entries.front();
    html! {
        <section class="list received" aria-labelledby="received">
            <h2 id="received">{ "Received" }</h2>
            <ol data-testid="received" tabindex="0" aria-labelledby="received">
                { for props.entries.iter().map(|received| entry(received, &props.tab)) }
            </ol>
            if newest.is_none() {
                <p class="empty">{ "Nothing yet. Answers, and what others publish, arrive here." }</p>
            }
            <p class="unseen" role="status">{ newest.map(announcement) }</p>
        </section>
    }
}

fn entry(received: &Received, tab: &Tab) -> Html {
    html! {
        <li key={received.number} data-testid="entry" data-way={received.way.word()}
            data-body={received.body.as_json().to_owned()}>
            <span class="body">{ shown(&received.body) }</span>
            <time>{ received.at.time_of_day() }</time>
            <span class="about">
                { received.way.word() }
                if !received.address.is_empty() {
                    { " " }<code>{ received.address.clone() }</code>
                }
            </span>
            <span class="outcome">
                if let Some(round_trip) = received.round_trip() {
                    <b>{ round_trip }</b>{ " " }
                }
                { received.origin(tab) }
            </span>
        </li>
    }
}

/// What a screen reader says when a message comes in.
fn announcement(received: &Received) -> String {
    let what = match received.way {
        Way::Failed => "Failed",
        Way::Published | Way::Replied => "Received",
    };
    format!("{what}: {}", shown(&received.body))
}
