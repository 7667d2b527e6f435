//! Where components are put on for a test: what they draw is told to the test, and waited for.

use std::fmt::Debug;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, StreamExt};
use gloo::timers::future::TimeoutFuture;
use gloo::utils::{body, document};
use trolleybus_yew::{Client, Error, ErrorKind, EventBus};
use yew::{AppHandle, BaseComponent, Renderer};

/// How long anything may take that has to come.
const LIMIT_MS: u32 = 20_000;

pub(crate) fn url() -> &'static str {
    let Some(url) = option_env!("TROLLEYBUS_TEST_URL") else {
        panic!(
            "compile with TROLLEYBUS_TEST_URL=http://host:port/eventbus, or run `cargo xtask test wasm`"
        );
    };
    url
}

/// An address that no other test uses.
pub(crate) fn address(name: &str) -> String {
    format!("test.{name}.{}", (js_sys::Math::random() * f64::from(u32::MAX)) as u32)
}

/// A client of its own beside the component's.
pub(crate) async fn neighbour() -> Client {
    let client = Client::connect(url());
    client.opened().await.unwrap();
    client
}

/// Resolves when the server has handled what `client` sent before.
pub(crate) async fn settled(client: &Client) {
    let kind = client.request("nobody consumes this", "").await.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::NoHandlers);
}

/// The reply's text, or why there is none.
pub(crate) async fn ask(client: &Client, address: &str) -> Result<String, Error> {
    use trolleybus_yew::BusMessage;
    client.request(address, "").await?.body_as()
}

/// A mounted component.
pub(crate) struct Stage<C: BaseComponent> {
    handle: AppHandle<C>,
}

impl<C: BaseComponent> Stage<C> {
    pub(crate) fn mount(properties: C::Properties) -> Self {
        let place = document().create_element("div").unwrap();
        body().append_child(&place).unwrap();
        let handle = Renderer::<C>::with_root_and_props(place, properties).render();
        Self { handle }
    }

    /// Draws it with other properties.
    pub(crate) fn update(&mut self, properties: C::Properties) {
        self.handle.update(properties);
    }

    /// Resolves when the component is gone: that is done before the browser's next task.
    pub(crate) async fn unmount(self) {
        self.handle.destroy();
        TimeoutFuture::new(0).await;
    }
}

/// Where a component tells what it draws; all of them are equal, so that one more draws nothing.
pub(crate) struct Teller<T>(UnboundedSender<T>);

impl<T> Clone for Teller<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Teller<T> {
    pub(crate) fn tell(&self, told: T) {
        // Nobody listens when the test is over.
        let _ = self.0.unbounded_send(told);
    }
}

impl<T> PartialEq for Teller<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a component told.
pub(crate) struct Told<T>(UnboundedReceiver<T>);

pub(crate) fn tells<T>() -> (Teller<T>, Told<T>) {
    let (sender, receiver) = unbounded();
    (Teller(sender), Told(receiver))
}

impl<T: Debug> Told<T> {
    /// The next thing told that is wanted; an error lists what was told instead.
    pub(crate) async fn until(&mut self, is_wanted: impl Fn(&T) -> bool) -> T {
        let mut others = Vec::new();
        let mut limit = TimeoutFuture::new(LIMIT_MS).fuse();
        loop {
            match select(self.0.next(), &mut limit).await {
                Either::Left((Some(told), _)) if is_wanted(&told) => return told,
                Either::Left((Some(told), _)) => others.push(told),
                Either::Left((None, _)) => panic!("the component is gone; it told {others:?}"),
                Either::Right(_) => panic!("not told in time; it told {others:?}"),
            }
        }
    }

    /// What was told and not looked at yet.
    pub(crate) fn rest(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
