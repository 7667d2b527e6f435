//! Questions of components.

use futures_util::StreamExt;
use trolleybus_yew::{Asked, BusMessage, BusProvider, Client, EventBus, Message, use_request};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use super::stage::{Stage, Teller, address, neighbour, settled, tells};

#[derive(Clone, PartialEq, Properties)]
struct Asking {
    client: Client,
    address: String,
    drawn: Teller<Asked<String>>,
}

#[component]
fn Questioner(props: &Asking) -> Html {
    html! { <BusProvider client={props.client.clone()}><Question ..props.clone() /></BusProvider> }
}

#[component]
fn Question(props: &Asking) -> Html {
    props.drawn.tell(use_request::<String>(props.address.clone()));
    Html::default()
}

#[wasm_bindgen_test]
async fn reply_is_drawn_and_so_is_a_failure() {
    let client = neighbour().await;
    let (drawn, mut told) = tells();
    let asking = Asking { client, address: "echo".to_owned(), drawn };
    let mut stage = Stage::<Questioner>::mount(asking.clone());
    let asked = told.until(|_| true).await;
    assert!(!asked.is_pending() && asked.reply().is_none() && asked.error().is_none());
    asked.ask("hello");
    told.until(Asked::is_pending).await;
    let asked = told.until(|asked| asked.reply().is_some()).await;
    assert_eq!(asked.reply().unwrap(), "hello");
    asked.ask(&7);
    let asked = told.until(|asked| asked.error().is_some()).await;
    assert!(asked.error().unwrap().to_string().contains("String"));
    asked.forget();
    told.until(|asked| asked.error().is_none()).await;
    // Another address starts from nothing.
    stage.update(Asking { address: address("nobody"), ..asking });
    let asked = told.until(|asked| !asked.is_pending()).await;
    asked.ask("anybody?");
    let asked = told.until(|asked| asked.error().is_some()).await;
    assert!(asked.error().unwrap().to_string().contains("No handlers"));
    stage.unmount().await;
}

/// Questions that wait for their replies.
async fn recipient(address: &str) -> (Client, impl AsyncFnMut() -> Message + use<>) {
    let client = neighbour().await;
    let mut questions = client.consumer(address);
    settled(&client).await;
    (client, async move || questions.next().await.unwrap())
}

#[wasm_bindgen_test]
async fn another_question_gives_the_one_before_up() {
    let (client, address) = (neighbour().await, address("questions"));
    let (drawn, mut told) = tells();
    let (_recipient, mut next) = recipient(&address).await;
    let stage = Stage::<Questioner>::mount(Asking { client, address, drawn });
    let asked = told.until(|_| true).await;
    asked.ask("first");
    let first = next().await;
    asked.ask("second");
    let second = next().await;
    first.reply("too late").unwrap();
    second.reply("in time").unwrap();
    let asked = told.until(|asked| asked.reply().is_some()).await;
    assert_eq!(asked.reply().unwrap(), "in time");
    stage.unmount().await;
}
