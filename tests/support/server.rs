//! A SockJS service on a free port.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::sync::mpsc;
use trolleybus::sockjs::{Options, SockJs, Socket};

/// A running server with one service under `/sockjs`.
pub struct Server {
    pub addr: SocketAddr,
    pub service: SockJs,
}

/// Options with delays that a test can wait for.
pub fn quick() -> Options {
    Options {
        disconnect_delay: Duration::from_millis(150),
        close_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        ..Options::default()
    }
}

pub async fn echo(mut socket: Socket) {
    while let Some(message) = socket.recv().await {
        if socket.send(message).is_err() {
            break;
        }
    }
}

/// What a service saw.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Opened,
    Message(String),
    Closed,
}

impl Server {
    pub async fn start<H, F>(options: Options, handler: H) -> Self
    where
        H: Fn(Socket) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let service = SockJs::new(options, handler);
        let app = Router::new().nest_service("/sockjs", service.router());
        Self { addr: serve(app).await, service }
    }

    pub async fn echo() -> Self {
        Self::start(Options::default(), echo).await
    }

    /// A service that says what it sees, and answers nothing.
    pub async fn observed(options: Options) -> (Self, mpsc::UnboundedReceiver<Seen>) {
        let (seen, log) = mpsc::unbounded_channel();
        let server = Self::start(options, move |mut socket: Socket| {
            let seen = seen.clone();
            async move {
                seen.send(Seen::Opened).ok();
                while let Some(message) = socket.recv().await {
                    seen.send(Seen::Message(message.to_string())).ok();
                }
                seen.send(Seen::Closed).ok();
            }
        })
        .await;
        (server, log)
    }

    /// A service that closes at once, as the suite's `/close` does.
    pub async fn closing(options: Options) -> Self {
        Self::start(options, |socket| async move { socket.close(3000, "Go away!") }).await
    }
}

/// Serves `app` as long as the test runs.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}
