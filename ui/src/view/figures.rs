//! The loss ledger: five figures that add up.

use yew::prelude::*;

use crate::model::Ledger;

/// A function, because the page is drawn anew when a figure changes and seldom otherwise.
pub(crate) fn figures(ledger: Ledger) -> Html {
    let figure = |name: &'static str, count: u32, alarming: bool| {
        let class = classes!("figure", (alarming && count > 0).then_some("alarming"));
        html! {
            <div {class}>
                <dt>{ name }</dt>
                <dd data-testid={format!("ledger-{}", name.to_lowercase())}>{ count }</dd>
            </div>
        }
    };
    html! {
        <section class="ledger" aria-labelledby="ledger">
            <h2 id="ledger">{ "Loss ledger" }</h2>
            <dl>
                { figure("Sent", ledger.sent, false) }
                { figure("Answered", ledger.answered, false) }
                { figure("Pending", ledger.pending(), false) }
                { figure("Failed", ledger.failed, true) }
                { figure("Duplicates", ledger.duplicates, true) }
            </dl>
        </section>
    }
}
