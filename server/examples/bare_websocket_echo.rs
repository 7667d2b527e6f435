//! A WebSocket echo and nothing else: what `bench request --form bare` measures the bus against.
//!
//! `cargo run --release -p trolleybus --example bare_websocket_echo -- PORT`, and then
//! `trolleybus bench request --form bare --url ws://127.0.0.1:PORT/`. It uses the same WebSocket
//! crate as the server, and writes like it: all that came in together goes out in one flush.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt as _;
use futures_util::{FutureExt as _, SinkExt as _};
use http::StatusCode;
use yawc::{OpCode, Options, UpgradeFut, WebSocket};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is what a caller waits for")]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).context("usage: bare_websocket_echo PORT")?;
    let port = port.parse().with_context(|| format!("`{port}` is no port"))?;
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Without it the system waits to fill packets; the echo would be slow, not wrong.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(any(upgrade))).await?;
    Ok(())
}

async fn upgrade(mut request: Request) -> Result<Response, StatusCode> {
    let options = Options::default();
    let upgraded = WebSocket::upgrade_with_options(&mut request, options);
    let (response, socket) = upgraded.map_err(|_| StatusCode::BAD_REQUEST)?;
    tokio::spawn(echo(socket));
    Ok(response.map(|_| axum::body::Body::empty()))
}

/// Sends everything back until the connection ends.
async fn echo(socket: UpgradeFut) -> yawc::Result<()> {
    let mut socket = socket.await?;
    loop {
        let mut next = Some(socket.next_frame().await?);
        while let Some(frame) = next {
            if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
                socket.feed(frame).await?;
            }
            next = socket.next_frame().now_or_never().transpose()?;
        }
        socket.flush().await?;
    }
}
