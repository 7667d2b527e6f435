//! The connection that a provider opens, and components without one.

use trolleybus_yew::client::Transport;
use trolleybus_yew::{
    BusProvider, Client, ErrorKind, EventBus, Options, Standing, State, use_bus, use_bus_errors,
    use_bus_state, use_consumer_fn,
};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use super::stage::{Stage, Teller, tells, url};

#[derive(Clone, PartialEq, Properties)]
struct Watching {
    transport: Transport,
    has_provider: bool,
    drawn: Teller<Drawn>,
}

/// What a watcher draws.
#[derive(Debug)]
struct Drawn {
    bus: Client,
    state: State,
    standing: Standing,
}

#[component]
fn Watched(props: &Watching) -> Html {
    let options = Options::new().transports([props.transport]);
    if props.has_provider {
        html! { <BusProvider url={url()} {options}><Watcher ..props.clone() /></BusProvider> }
    } else {
        html! { <Watcher ..props.clone() /> }
    }
}

#[component]
fn Watcher(props: &Watching) -> Html {
    use_bus_errors(|error| panic!("{error}"));
    let standing = use_consumer_fn("test.watched", drop);
    props.drawn.tell(Drawn { bus: use_bus(), state: use_bus_state(), standing });
    Html::default()
}

#[wasm_bindgen_test]
async fn provider_connects_moves_and_closes() {
    let (drawn, mut told) = tells();
    let transport = Transport::WebSocket;
    let watching = Watching { transport, has_provider: true, drawn };
    let mut stage = Stage::<Watched>::mount(watching.clone());
    assert_eq!(told.until(|_| true).await.state, State::Connecting);
    let before = told.until(|drawn| drawn.state.is_open() && drawn.standing.is_registered()).await;
    assert_eq!(before.state, State::Open { transport });

    // Drawn again with equal options it stays as it is.
    stage.update(watching.clone());
    let transport = Transport::XhrPolling;
    stage.update(Watching { transport, ..watching });
    let after = told
        .until(|drawn| {
            drawn.bus != before.bus && drawn.state.is_open() && drawn.standing.is_registered()
        })
        .await;
    assert_eq!(after.state, State::Open { transport });
    assert!(before.bus.state().is_closed());

    stage.unmount().await;
    assert!(after.bus.state().is_closed());
}

#[wasm_bindgen_test]
async fn without_a_provider_everything_is_closed_and_says_why() {
    let (drawn, mut told) = tells();
    let watching = Watching { transport: Transport::WebSocket, has_provider: false, drawn };
    let stage = Stage::<Watched>::mount(watching);
    let drawn = told.until(|drawn| drawn.standing.error().is_some()).await;
    assert!(matches!(&drawn.state, State::Closed { reason, .. } if reason.contains("BusProvider")));
    assert!(drawn.standing.error().unwrap().to_string().contains("BusProvider"));
    let error = drawn.bus.publish("test", "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    stage.unmount().await;
}
