//! The two choices: the transport, and who serves.

use yew::prelude::*;

use super::switch::{Plate, Switch};
use crate::model::{ServedBy, Tab, TransportChoice};

/// Draws each choice from what is chosen and what a visitor's choice calls.
pub(crate) fn settings(
    (transport, choose_transport): (TransportChoice, Callback<TransportChoice>),
    (served_by, choose_served_by): (ServedBy, Callback<ServedBy>),
    tab: &Tab,
) -> Html {
    let transports = TransportChoice::ALL.map(|value| Plate {
        value,
        label: value.label(),
        test_id: format!("force-{}", value.word()),
    });
    let servers = ServedBy::ALL.map(|value| Plate {
        value,
        label: value.label(),
        test_id: format!("serve-{}", value.word()),
    });
    html! {
        <div class="settings">
            <Switch<TransportChoice> legend="Transport" plates={transports.to_vec()}
                chosen={transport} choose={choose_transport} />
            <Switch<ServedBy> legend="Served by" plates={servers.to_vec()}
                chosen={served_by} choose={choose_served_by} />
            <p class="note">{ note(served_by, tab) }</p>
        </div>
    }
}

fn note(served_by: ServedBy, tab: &Tab) -> Html {
    let name = html! { <b class="tab-name">{ tab.name() }</b> };
    match served_by {
        ServedBy::Server => html! {
            <>{ "The server runs the service for every page. This is tab " }{ name }{ "." }</>
        },
        ServedBy::Tabs => html! {
            <>
                { "Tab " }{ name }{ " runs the service itself. Open another and they serve each \
                   other: requests go to each in turn, what is published is answered by all." }
            </>
        },
    }
}
