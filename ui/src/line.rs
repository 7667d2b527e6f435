//! The client of the page: connects, serves, and turns what happens into actions of the model.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};
use trolleybus_client::{
    Body, BusMessage as _, Client, DeliveryOptions, Error, EventBus as _, Message, Options, State,
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

/// Keeps a client connected over the chosen transport for as long as the component lives, serves
/// in this tab when that is chosen, and gives back how to send.
#[hook]
pub(crate) fn use_line(
    transport: TransportChoice,
    served_by: ServedBy,
    tab: &Tab,
    page: &Dispatch,
) -> Callback<(How, String)> {
    let line = use_mut_ref(|| None::<Client>);
    use_effect_with(transport, {
        let (line, page) = (line.clone(), page.clone());
        move |&transport| {
            let client = Client::with_options(BRIDGE, options(transport));
            let tasks = watch(&client, &page);
            line.replace(Some(client));
            move || {
                drop(tasks);
                if let Some(client) = line.take() {
                    client.close();
                }
            }
        }
    });
    use_effect_with((transport, served_by), {
        let (line, tab, page) = (line.clone(), tab.clone(), page.clone());
        move |&(_, served_by)| {
            let client = line.borrow().clone();
            let tasks = client.map(|client| consume(&client, served_by, &tab, &page));
            move || drop(tasks)
        }
    });
    let numbers = use_mut_ref(|| 0_u32);
    use_callback((served_by, tab.clone(), page.clone()), {
        move |(how, text): (How, String), (served_by, tab, page)| {
            let Some(client) = line.borrow().clone() else {
                return;
            };
            let word = Word { tab: tab.clone(), number: next(&numbers) };
            say(&client, &word, how, *served_by, &text, page);
        }
    })
}

fn options(transport: TransportChoice) -> Options {
    match transport.transport() {
        Some(transport) => Options::new().transports([transport]),
        None => Options::new(),
    }
}

fn next(numbers: &Rc<RefCell<u32>>) -> u32 {
    let mut number = numbers.borrow_mut();
    *number += 1;
    *number
}

/// Tells the page of the connection and of errors.
fn watch(client: &Client, page: &Dispatch) -> Tasks {
    let mut tasks = Tasks::default();
    let (mut states, mut errors) = (client.states(), client.errors());
    page.dispatch(Action::Linked(link(client.state())));
    tasks.spawn({
        let page = page.clone();
        async move {
            while let Some(state) = states.next().await {
                page.dispatch(Action::Linked(link(state)));
            }
        }
    });
    tasks.spawn({
        let page = page.clone();
        async move {
            while let Some(error) = errors.next().await {
                page.dispatch(Action::Reported { error, at: browser::now() });
            }
        }
    });
    tasks
}

fn link(state: State) -> Link {
    match state {
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

/// Consumes the answers and, where tabs serve, serves.
fn consume(client: &Client, served_by: ServedBy, tab: &Tab, page: &Dispatch) -> Tasks {
    let mut tasks = Tasks::default();
    // What anybody publishes on the server's address is shown whoever serves.
    tasks.spawn(hear(client, ServedBy::Server.response_address(), page));
    if served_by == ServedBy::Tabs {
        let (request, response) = (served_by.request_address(), served_by.response_address());
        tasks.spawn(hear(client, response, page));
        let (client, name) = (client.clone(), tab.name().to_owned());
        tasks.spawn(async move {
            let signed = DeliveryOptions::new().header(SERVED_BY, name);
            let signed = signed.expect("invariant: a tab's name can be a header");
            uppercase::serve_with(client, request, response, signed).await;
        });
    }
    tasks
}

fn hear(
    client: &Client,
    address: &'static str,
    page: &Dispatch,
) -> impl Future<Output = ()> + 'static {
    let (mut consumer, page) = (client.consumer(address), page.clone());
    async move {
        while let Some(message) = consumer.next().await {
            page.dispatch(Action::Published(heard(&message, address)));
        }
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

/// Tasks that end when this is dropped.
#[derive(Default)]
struct Tasks(Vec<AbortHandle>);

impl Tasks {
    fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        let (task, handle) = abortable(task);
        self.0.push(handle);
        spawn_local(async move {
            // Ended or aborted, it is over.
            let _ = task.await;
        });
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
