//! A bridge in the same process, and what its clients have in common.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use trolleybus::Bus;
use trolleybus::bridge::{Authentication, Bridge, BridgeOptions, Permitted};
use trolleybus_client::{
    BusMessage, Client, Error, ErrorKind, EventBus, Options, Reconnect, State,
};

/// A bridge that permits everything; dropping it stops its listener and all its sockets.
pub(crate) struct Server {
    pub(crate) bus: Bus,
    pub(crate) address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(anything(), None)
    }

    pub(crate) fn with(rules: BridgeOptions, authentication: Option<Authentication>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::serve(listener, rules, authentication)
    }

    pub(crate) fn start_on(listener: std::net::TcpListener) -> Self {
        Self::serve(listener, anything(), None)
    }

    fn serve(
        listener: std::net::TcpListener,
        rules: BridgeOptions,
        authentication: Option<Authentication>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let bus = Bus::new();
        let serving = bus.clone();
        runtime.spawn(async move {
            let mut builder = Bridge::builder(serving, rules);
            if let Some(authentication) = authentication {
                builder = builder.authentication(authentication);
            }
            let bridge = builder.build().unwrap();
            let app: Router = Router::new().nest_service("/eventbus", bridge.router());
            let listener = TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        let runtime = Some(runtime);
        Self { bus, address, runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/eventbus", self.address)
    }

    pub(crate) async fn open(&self) -> Client {
        let client = Client::with_options(&self.url(), quick());
        soon(client.opened()).await.unwrap();
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn anything() -> BridgeOptions {
    let anything = Permitted::default();
    BridgeOptions::new().permit_inbound(anything.clone()).permit_outbound(anything)
}

pub(crate) fn quick() -> Options {
    Options::new().reconnect(Reconnect {
        delay_min: Duration::from_millis(20),
        delay_max: Duration::from_millis(100),
        ..Reconnect::default()
    })
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, future).await.expect("nothing happened before the deadline")
}

pub(crate) async fn request(client: &Client, address: &str) -> Result<String, Error> {
    let reply = soon(client.request(address, "hello")).await?;
    Ok(reply.body().as_text().unwrap().into_owned())
}

/// Resolves when the server has handled what the client sent before.
pub(crate) async fn settled(client: &Client) {
    let kind = request(client, "nobody consumes this").await.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::NoHandlers);
}

/// A consumer that answers each request in upper case.
pub(crate) fn shout(client: &Client, address: &str) -> trolleybus_client::Registration {
    client.consumer_fn(address, |message| {
        let text = message.body().as_text().unwrap().to_uppercase();
        message.reply(&text).unwrap();
    })
}

/// Resolves when `client` is in a state that fits.
pub(crate) async fn state(client: &Client, fits: impl Fn(&State) -> bool) -> State {
    let mut states = client.states();
    loop {
        let state = soon(states.next()).await.unwrap();
        if fits(&state) {
            return state;
        }
    }
}
