//! The services that the SockJS protocol suite and the tests of sockjs-client talk to.
//!
//! `cargo run --release -p trolleybus --example sockjs_test_server -- 8081`

use std::net::SocketAddr;

use axum::Router;
use axum::serve::ListenerExt;
use trolleybus::sockjs::{self, Options, Socket, Transport, TransportSet};

async fn echo(mut socket: Socket) {
    while let Some(message) = socket.recv().await {
        if socket.send(message).is_err() {
            break;
        }
    }
}

async fn close(socket: Socket) {
    socket.close(3000, "Go away!");
}

async fn amplify(mut socket: Socket) {
    while let Some(message) = socket.recv().await {
        let power = message.parse().ok().filter(|n| (1..19).contains(n)).unwrap_or(1);
        if socket.send("x".repeat(1 << power)).is_err() {
            break;
        }
    }
}

fn app() -> Router {
    let echo_options = Options { response_limit: 4096, ..Options::default() };
    let without_websocket = Options {
        disabled_transports: TransportSet::new().with(Transport::WebSocket),
        ..echo_options.clone()
    };
    let with_cookie = Options { jsessionid: true, ..echo_options.clone() };
    Router::new()
        .nest_service("/echo", sockjs::router(echo_options, echo))
        .nest_service("/disabled_websocket_echo", sockjs::router(without_websocket, echo))
        .nest_service("/cookie_needed_echo", sockjs::router(with_cookie, echo))
        .nest_service("/close", sockjs::router(Options::default(), close))
        .nest_service("/amplify", sockjs::router(Options::default(), amplify))
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "whoever starts the server reads its address")]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let port = std::env::args().nth(1).map_or(Ok(8081), |port| port.parse())?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    let app = app().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
