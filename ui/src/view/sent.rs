//! The list of what was sent, newest first.

use std::collections::VecDeque;

use yew::prelude::*;

use crate::model::{Fate, Sent, shown};

#[derive(Properties, PartialEq)]
pub(crate) struct SentListProps {
    pub(crate) entries: VecDeque<Sent>,
}

#[component]
pub(crate) fn SentList(props: &SentListProps) -> Html {
    html! {
        <section class="list sent" aria-labelledby="sent">
            <h2 id="sent">{ "Sent" }</h2>
            <ol data-testid="sent" tabindex="0" aria-labelledby="sent">
                { for props.entries.iter().map(entry) }
            </ol>
            if props.entries.is_empty() {
                <p class="empty">{ "Nothing yet. Enter sends the word." }</p>
            }
        </section>
    }
}

fn entry(sent: &Sent) -> Html {
    let fate = match sent.fate {
        Fate::Pending => "pending",
        Fate::Answered { .. } => "answered",
        Fate::Failed { .. } => "failed",
    };
    html! {
        <li key={sent.number} data-testid="entry" data-body={sent.body.as_json().to_owned()}
            data-fate={fate}>
            <span class="body">{ shown(&sent.body) }</span>
            <time>{ sent.at.time_of_day() }</time>
            <span class="about">
                { sent.how.label() }{ " " }<code>{ sent.address }</code>
            </span>
            <span class="outcome">{ sent.outcome() }</span>
        </li>
    }
}
