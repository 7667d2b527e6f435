//! A server with an admin listener, and how to ask it.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trolleybus::Bus;
use trolleybus::admin::Secret;
use trolleybus::app::{App, Config, bind};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus_tests::support::http::{Answer, request};
use trolleybus_tests::support::websocket::Client;

pub(crate) const TOKEN: &str = "an-admin-token-of-some-length";

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) bus: Bus,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) run: JoinHandle<()>,
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.admin.listen = Some(config.server.listen);
    config.admin.token = Some(Secret::new(TOKEN));
    config.bridge =
        BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all());
    config
}

impl Server {
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_with(config, |app| app).await
    }

    /// Starts what `finish` makes of the app.
    pub(crate) async fn start_with(config: Config, finish: impl FnOnce(App) -> App) -> Self {
        let listener = bind(config.server.listen).unwrap();
        let admin_listener = bind(config.admin.listen.unwrap()).unwrap();
        let (addr, admin) = (listener.local_addr().unwrap(), admin_listener.local_addr().unwrap());
        let bus = Bus::new();
        let app = finish(App::new(bus.clone(), config).unwrap()).with_admin(admin_listener);
        let (stop, stopped) = oneshot::channel();
        let run = tokio::spawn(app.run(listener, async {
            stopped.await.ok();
        }));
        Self { addr, admin, bus, stop, run }
    }

    /// Asks the admin listener with the token.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = format!("Authorization: Bearer {TOKEN}\r\n");
        request(self.admin, method, path, &headers, body).await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// An open socket that the server has heard of.
    pub(crate) async fn socket(&self) -> Client {
        let mut socket = Client::open(self.addr, "/eventbus/websocket").await;
        socket.send(r#"{"type":"send","address":"nowhere","body":1,"replyAddress":"r"}"#).await;
        assert!(socket.frame().await.is_some());
        socket
    }
}
