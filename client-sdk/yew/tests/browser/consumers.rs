//! Registrations of components: with a callback, and as state.

use trolleybus_yew::{
    BusMessage, BusProvider, Client, ConsumerOptions, ErrorKind, EventBus, Received, Standing,
    use_consumer_fn_with, use_consumer_with,
};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use super::stage::{Stage, Teller, address, ask, neighbour, settled, tells};

#[derive(Clone, PartialEq, Properties)]
struct Serving {
    client: Client,
    address: String,
    /// What it replies; another closure for another text.
    answer: &'static str,
    standing: Teller<Standing>,
}

/// Replies with its answer.
#[component]
fn Server(props: &Serving) -> Html {
    html! { <BusProvider client={props.client.clone()}><Waiter ..props.clone() /></BusProvider> }
}

#[component]
fn Waiter(props: &Serving) -> Html {
    let answer = props.answer;
    let options = ConsumerOptions::default();
    let standing = use_consumer_fn_with(props.address.clone(), options, move |message| {
        message.reply(answer).unwrap();
    });
    props.standing.tell(standing);
    Html::default()
}

#[wasm_bindgen_test]
async fn unmounted_component_is_registered_no_more_at_the_server() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (standing, mut told) = tells();
    let address = address("unmounted");
    let stage = Stage::<Server>::mount(Serving {
        client: client.clone(),
        address: address.clone(),
        answer: "here",
        standing,
    });
    told.until(Standing::is_registered).await;
    assert_eq!(ask(&other, &address).await.unwrap(), "here");
    stage.unmount().await;
    settled(&client).await;
    let error = ask(&other, &address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
    assert!(client.state().is_open(), "a client that was given is not closed");
}

#[wasm_bindgen_test]
async fn another_closure_is_called_without_registering_anew() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (standing, mut told) = tells();
    let address = address("closure");
    let first = Serving { client, address: address.clone(), answer: "first", standing };
    let mut stage = Stage::<Server>::mount(first.clone());
    told.until(Standing::is_registered).await;
    assert_eq!(ask(&other, &address).await.unwrap(), "first");
    stage.update(Serving { answer: "second", ..first });
    told.until(Standing::is_registered).await;
    assert_eq!(ask(&other, &address).await.unwrap(), "second");
    assert!(told.rest().iter().all(Standing::is_registered));
    stage.unmount().await;
}

#[wasm_bindgen_test]
async fn another_address_registers_anew() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (standing, mut told) = tells();
    let (before, after) = (address("before"), address("after"));
    let first = Serving { client, address: before.clone(), answer: "here", standing };
    let mut stage = Stage::<Server>::mount(first.clone());
    told.until(Standing::is_registered).await;
    stage.update(Serving { address: after.clone(), ..first });
    told.until(|standing| *standing == Standing::Pending).await;
    told.until(Standing::is_registered).await;
    assert_eq!(ask(&other, &after).await.unwrap(), "here");
    assert_eq!(ask(&other, &before).await.unwrap_err().kind(), ErrorKind::NoHandlers);
    stage.unmount().await;
}

#[wasm_bindgen_test]
async fn registration_stands_again_after_a_reconnect() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (standing, mut told) = tells();
    let address = address("reconnect");
    let serving = Serving { client: client.clone(), address, answer: "here", standing };
    let stage = Stage::<Server>::mount(serving.clone());
    told.until(Standing::is_registered).await;
    client.reconnect();
    told.until(|standing| *standing == Standing::Pending).await;
    told.until(Standing::is_registered).await;
    assert_eq!(ask(&other, &serving.address).await.unwrap(), "here");
    stage.unmount().await;
}

#[derive(Clone, PartialEq, Properties)]
struct Reading {
    client: Client,
    address: String,
    is_pattern: bool,
    drawn: Teller<Drawn>,
}

/// What a reader draws.
#[derive(Debug)]
struct Drawn {
    numbers: Vec<u32>,
    error: Option<String>,
    is_registered: bool,
}

/// Reads numbers.
#[component]
fn Reader(props: &Reading) -> Html {
    html! { <BusProvider client={props.client.clone()}><Numbers ..props.clone() /></BusProvider> }
}

#[component]
fn Numbers(props: &Reading) -> Html {
    let options = ConsumerOptions { is_pattern: props.is_pattern, ..ConsumerOptions::default() };
    let numbers = use_consumer_with::<u32>(props.address.clone(), options, 3);
    assert_eq!(numbers.latest(), numbers.iter().next_back().map(Received::body));
    props.drawn.tell(Drawn {
        numbers: numbers.iter().map(|number| *number.body()).collect(),
        error: numbers.error().map(ToString::to_string),
        is_registered: numbers.standing().is_registered(),
    });
    Html::default()
}

#[wasm_bindgen_test]
async fn latest_messages_are_kept_and_misfits_told() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (drawn, mut told) = tells();
    let address = address("numbers");
    let reading = Reading { client, address: address.clone(), is_pattern: false, drawn };
    let mut stage = Stage::<Reader>::mount(reading.clone());
    told.until(|drawn| drawn.is_registered).await;
    for number in 1..=4 {
        other.publish(address.as_str(), &number).unwrap();
    }
    told.until(|drawn| drawn.numbers == [2, 3, 4] && drawn.error.is_none()).await;
    other.publish(address.as_str(), "five").unwrap();
    let drawn = told.until(|drawn| drawn.error.is_some()).await;
    assert_eq!(drawn.numbers, [2, 3, 4]);
    assert!(drawn.error.unwrap().contains("u32"));
    other.publish(address.as_str(), &6).unwrap();
    told.until(|drawn| drawn.numbers == [3, 4, 6] && drawn.error.is_none()).await;
    // Another address starts from nothing.
    stage.update(Reading { address: super::stage::address("others"), ..reading });
    told.until(|drawn| drawn.is_registered && drawn.numbers.is_empty()).await;
    stage.unmount().await;
}

#[wasm_bindgen_test]
async fn pattern_is_consumed_and_a_bad_one_told() {
    let (client, other) = (neighbour().await, neighbour().await);
    let (drawn, mut told) = tells();
    let address = address("pattern");
    let reading = Reading { client, address: format!("{address}.*"), is_pattern: true, drawn };
    let mut stage = Stage::<Reader>::mount(reading.clone());
    told.until(|drawn| drawn.is_registered).await;
    other.publish(format!("{address}.one"), &1).unwrap();
    told.until(|drawn| drawn.numbers == [1]).await;
    stage.update(Reading { address: "a.>.b".to_owned(), ..reading });
    told.until(|drawn| drawn.error.is_some() && !drawn.is_registered).await;
    stage.unmount().await;
}
