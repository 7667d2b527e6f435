//! The loss ledger: five figures that add up.

use yew::prelude::*;

use crate::model::Ledger;

#[derive(Properties, PartialEq)]
pub(crate) struct FiguresProps {
    pub(crate) ledger: Ledger,
}

#[component]
pub(crate) fn Figures(props: &FiguresProps) -> Html {
    let ledger = props.ledger;
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
