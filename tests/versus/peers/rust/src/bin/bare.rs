//! The ceiling: a WebSocket, a map of addresses and nothing else, with the WebSocket crate, the
//! runtime and the allocator that Trolleybus uses.
//!
//! A text that begins with `r` registers for the address behind it; `p`, an address and a line end
//! publish the rest to that address; everything else is sent back. What waits goes out in one flush.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _};
use parking_lot::RwLock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use yawc::{Frame, HttpStream, OpCode, Options, UpgradeFut, WebSocket};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages that may wait for one connection; more are dropped, which the load would count.
const QUEUE: usize = 4096;

type Consumers = RwLock<HashMap<Bytes, Vec<(usize, Sender<Bytes>)>>>;

static CONSUMERS: LazyLock<Consumers> = LazyLock::new(Consumers::default);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("ready ws://{}/", listener.local_addr()?);
    let listener = listener.tap_io(|stream: &mut TcpStream| {
        // Without it the system waits to fill packets.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(any(upgrade))).await?;
    Ok(())
}

async fn upgrade(mut request: Request) -> Result<Response, StatusCode> {
    let upgraded = WebSocket::upgrade_with_options(&mut request, Options::default());
    let (response, socket) = upgraded.map_err(|_| StatusCode::BAD_REQUEST)?;
    tokio::spawn(async move {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = NEXT.fetch_add(1, Relaxed);
        let (sender, receiver) = channel(QUEUE);
        let mut connection = Connection { id, sender, mine: Vec::new() };
        // It ends with an error whenever the other side just goes.
        let _ = connection.serve(socket, receiver).await;
        connection.forget();
    });
    Ok(response.map(|_| axum::body::Body::empty()))
}

struct Connection {
    id: usize,
    sender: Sender<Bytes>,
    /// Addresses that it is registered for.
    mine: Vec<Bytes>,
}

impl Connection {
    async fn serve(
        &mut self,
        socket: UpgradeFut,
        mut receiver: Receiver<Bytes>,
    ) -> yawc::Result<()> {
        let mut socket = socket.await?;
        loop {
            tokio::select! {
                frame = socket.next_frame() => {
                    let mut next = Some(frame?);
                    while let Some(frame) = next {
                        self.take(&mut socket, frame).await?;
                        next = socket.next_frame().now_or_never().transpose()?;
                    }
                }
                Some(body) = receiver.recv() => socket.feed(Frame::text(body)).await?,
            }
            while let Ok(body) = receiver.try_recv() {
                socket.feed(Frame::text(body)).await?;
            }
            socket.flush().await?;
        }
    }

    async fn take(&mut self, socket: &mut WebSocket<HttpStream>, frame: Frame) -> yawc::Result<()> {
        if frame.opcode() != OpCode::Text {
            return Ok(());
        }
        match frame.payload().first() {
            Some(b'r') => self.register(frame.into_payload().slice(1..)),
            Some(b'p') => publish(&frame.into_payload().slice(1..)),
            _ => socket.feed(frame).await?,
        }
        Ok(())
    }

    fn register(&mut self, address: Bytes) {
        let entry = (self.id, self.sender.clone());
        CONSUMERS.write().entry(address.clone()).or_default().push(entry);
        self.mine.push(address);
    }

    fn forget(&mut self) {
        let id = self.id;
        let mut consumers = CONSUMERS.write();
        for address in self.mine.drain(..) {
            if let Some(all) = consumers.get_mut(&address) {
                all.retain(|(other, _)| *other != id);
                if all.is_empty() {
                    consumers.remove(&address);
                }
            }
        }
    }
}

fn publish(text: &Bytes) {
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return };
    let body = text.slice(end + 1..);
    if let Some(consumers) = CONSUMERS.read().get(&text[..end]) {
        for (_, sender) in consumers {
            let _ = sender.try_send(body.clone());
        }
    }
}
