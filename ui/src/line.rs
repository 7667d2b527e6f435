//! The bus of the page: what happens on it as actions of the model, and how to say something.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{OptionFuture, join};
use futures_util::{FutureExt as _, StreamExt as _};
use trolleybus_yew::{
    Body, BusMessage as _, Client, DeliveryOptions, Error, EventBus as _, Message, Options, State,
    use_bus, use_bus_errors, use_bus_state, use_bus_task,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::browser;
use crate::model::{
    Action, Heard, How, Link, Page, SERVED_BY, ServedBy, Tab, TransportChoice, WORD, Word,
};
use crate::uppercase;

/// Where the bridge is, on the server that the page came from.
const BRIDGE: &str = "/eventbus";
/// Answers a request with its own body.
const ECHO: &str = "echo";
/// How long a request waits for its reply.
const TIMEOUT: Duration = Duration::from_secs(10);

type Dispatch = UseReducerDispatcher<Page>;

/// Tells the page what happens on the bus, and gives back how to send.
#[hook]
pub(crate) fn use_line(served_by: ServedBy, tab: &Tab, page: &Dispatch) -> Callback<(How, String)> {
    let (bus, state) = (use_bus(), use_bus_state());
    use_effect_with(state, {
        let page = page.clone();
        move |state| page.dispatch(Action::Linked(link(state)))
    });
    use_bus_errors({
        let page = page.clone();
        move |error| page.dispatch(Action::Reported { error, at: browser::now() })
    });
    use_bus_task((served_by, tab.clone(), page.clone()), |bus, (served_by, tab, page)| {
        // What anybody publishes on the server's address is shown whoever serves.
        let hearing = hear(&bus, ServedBy::Server.response_address(), page);
        let service = (*served_by == ServedBy::Tabs).then(|| serve(bus, tab, page));
        join(hearing, OptionFuture::from(service)).map(drop)
    });
    let numbers = use_mut_ref(|| 0_u32);
    use_callback((bus, served_by, tab.clone(), page.clone()), {
        move |(how, text): (How, String), (bus, served_by, tab, page)| {
            let word = Word { tab: tab.clone(), number: next(&numbers) };
            say(bus, &word, how, *served_by, &text, page);
        }
    })
}

/// Serves in this tab, and shows what tabs answer.
fn serve(bus: Client, tab: &Tab, page: &Dispatch) -> impl Future<Output = ()> + use<> {
    let (request, response) = (ServedBy::Tabs.request_address(), ServedBy::Tabs.response_address());
    let signed = DeliveryOptions::new().header(SERVED_BY, tab.name().to_owned());
    let signed = signed.expect("invariant: a tab's name can be a header");
    let hearing = hear(&bus, response, page);
    join(hearing, uppercase::serve_with(bus, request, response, signed)).map(drop)
}

/// Shows what is published at `address`.
fn hear(bus: &Client, address: &'static str, page: &Dispatch) -> impl Future<Output = ()> + use<> {
    let (mut consumer, page) = (bus.consumer(address), page.clone());
    async move {
        while let Some(message) = consumer.next().await {
            page.dispatch(Action::Published(heard(&message, address)));
        }
    }
}

/// Connects over the chosen transport.
pub(crate) fn connect(transport: TransportChoice) -> Client {
    let options = Options::new().transports(transport.transport());
    Client::with_options(BRIDGE, options)
}

fn next(numbers: &Rc<RefCell<u32>>) -> u32 {
    let mut number = numbers.borrow_mut();
    *number += 1;
    *number
}

fn link(state: &State) -> Link {
    match state.clone() {
        State::Connecting => Link::Connecting,
        State::Open { transport } => Link::Open { transport: transport.as_str() },
        State::Waiting { attempt, retry_in } => {
            let mut until = browser::now();
            until.0 += retry_in.as_secs_f64() * 1000.0;
            Link::Waiting { attempt, until }
        }
        State::Closed { code, reason } => Link::Closed { code, reason },
    }
}

fn heard(message: &Message, address: &str) -> Heard {
    let headers = message.headers();
    Heard {
        address: address.to_owned(),
        body: message.body().clone(),
        word: headers.get(WORD).and_then(Word::parse),
        served_by: headers.get(SERVED_BY).and_then(Tab::parse),
        at: browser::now(),
    }
}

fn say(client: &Client, word: &Word, how: How, served_by: ServedBy, text: &str, page: &Dispatch) {
    let (number, body) = (word.number, Body::from_text(text));
    let address = if how == How::Echo { ECHO } else { served_by.request_address() };
    let at = browser::now();
    page.dispatch(Action::Said { number, how, address, body: body.clone(), at });
    let options = DeliveryOptions::new().timeout(TIMEOUT).header(WORD, word.to_string());
    let options = options.expect("invariant: a word's name can be a header");
    if how == How::Publish {
        if let Err(error) = client.publish_with(address, body, options) {
            fail(number, error, page);
        }
        return;
    }
    let (response, page) = (client.request_with(address, body, options), page.clone());
    // Ends by itself, at the latest with the timeout.
    spawn_local(async move {
        match response.await {
            Ok(message) => {
                let heard = heard(&message, address);
                page.dispatch(Action::Replied { number, heard });
            }
            Err(error) => fail(number, error, &page),
        }
    });
}

fn fail(number: u32, error: Error, page: &Dispatch) {
    page.dispatch(Action::Failed { number, error, at: browser::now() });
}
