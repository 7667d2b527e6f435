//! The connection that components share, handed down as a context.

use trolleybus_client::{Client, Options};
use yew::prelude::*;

/// Properties of [`BusProvider`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct BusProviderProps {
    /// Where the bridge is, `/eventbus` by default; relative to the page, or absolute.
    #[prop_or(AttrValue::Static("/eventbus"))]
    pub url: AttrValue,
    /// How to connect; the defaults of [`Options`] unless given. Options with a token provider are
    /// equal to nothing but themselves: make them once, with `use_memo`, or the bus connects anew
    /// each time that the component around it is drawn.
    #[prop_or_default]
    pub options: Options,
    /// A client that stands already; `url` and `options` mean nothing then, and it is not closed
    /// here.
    #[prop_or_default]
    pub client: Option<Client>,
    /// What may use the bus.
    pub children: Html,
}

/// Connects to a bus for all components below, for as long as it is mounted; then it closes the
/// connection. With another `url` or other `options` it closes that connection and opens another,
/// and the hooks below move over to it.
///
/// What it hands down is the context [`Client`]: Yew's own `ContextProvider<Client>` does for a
/// client that you made yourself.
#[component]
pub fn BusProvider(props: &BusProviderProps) -> Html {
    let key = (props.client.clone(), props.url.clone(), props.options.clone());
    let client = use_memo(key, |(given, url, options)| {
        given.clone().unwrap_or_else(|| Client::with_options(url, options.clone()))
    });
    use_effect_with(((*client).clone(), props.client.is_some()), |(client, is_given)| {
        let own = (!is_given).then(|| client.clone());
        move || {
            if let Some(client) = own {
                client.close();
            }
        }
    });
    html! {
        <ContextProvider<Client> context={(*client).clone()}>
            { props.children.clone() }
        </ContextProvider<Client>>
    }
}

/// The client of the nearest [`BusProvider`] above; a cheap clone, the same until the provider
/// connects elsewhere. Drawing again when the connection's state changes is for
/// [`use_bus_state`](crate::use_bus_state).
///
/// With no provider above it is a client that is closed: everything fails with
/// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
#[hook]
pub fn use_bus() -> Client {
    use_provided().0
}

/// The client, and whether there is a provider at all.
#[hook]
pub(crate) fn use_provided() -> (Client, bool) {
    match use_context::<Client>() {
        Some(client) => (client, true),
        None => (CLOSED.with(Client::clone), false),
    }
}

thread_local! {
    /// For components without a provider. A URL of no scheme that can be asked: it is closed from
    /// the start.
    static CLOSED: Client = Client::connect("none:");
}

/// What to tell where there is no provider.
pub(crate) const NO_PROVIDER: &str = "there is no BusProvider above this component";
