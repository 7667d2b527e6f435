//! The two choices: the transport, and who serves.

use yew::prelude::*;

use super::switch::{Plate, Switch};
use crate::model::{ServedBy, Tab, TransportChoice};

#[derive(Properties, PartialEq)]
pub(crate) struct SettingsProps {
    pub(crate) transport: TransportChoice,
    pub(crate) served_by: ServedBy,
    pub(crate) tab: Tab,
    pub(crate) choose_transport: Callback<TransportChoice>,
    pub(crate) choose_served_by: Callback<ServedBy>,
}

#[component]
pub(crate) fn Settings(props: &SettingsProps) -> Html {
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
                chosen={props.transport} choose={props.choose_transport.clone()} />
            <Switch<ServedBy> legend="Served by" plates={servers.to_vec()}
                chosen={props.served_by} choose={props.choose_served_by.clone()} />
            <p class="note">{ note(props.served_by, &props.tab) }</p>
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
