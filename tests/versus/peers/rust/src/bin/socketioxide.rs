//! socketioxide over axum: events with objects, and rooms for addresses.

use axum::Router;
use axum::serve::ListenerExt as _;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};
use tokio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Deserialize)]
struct Envelope {
    r#type: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    body: String,
    #[serde(rename = "replyAddress", default)]
    reply_address: String,
}

#[derive(Debug, Serialize)]
struct Rec<'a> {
    r#type: &'static str,
    address: &'a str,
    body: &'a str,
}

/// socketioxide runs each call of a handler in a task of its own, so on several threads messages
/// lose their order; on the one core that a peer gets here, one thread is as good.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let (layer, io) = SocketIo::builder().req_path("/eventbus").build_layer();
    io.ns("/", async |socket: SocketRef, io: SocketIo| {
        socket.on("m", async move |socket: SocketRef, Data::<Envelope>(envelope)| {
            receive(&io, &socket, envelope);
        });
    });
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("ready http://{}/eventbus", listener.local_addr()?);
    let listener = listener.tap_io(|stream: &mut TcpStream| {
        // Without it the system waits to fill packets.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().layer(layer)).await?;
    Ok(())
}

/// What cannot be sent belongs to a socket that is gone, or full, which the load would count.
fn receive(io: &SocketIo, socket: &SocketRef, envelope: Envelope) {
    let Envelope { r#type, address, body, reply_address } = envelope;
    match (r#type.as_str(), address.as_str()) {
        ("send", "echo") => {
            let rec = Rec { r#type: "rec", address: &reply_address, body: &body };
            let _ = socket.emit("m", &rec);
        }
        ("send", _) => {
            let rec = Rec { r#type: "err", address: &reply_address, body: "" };
            let _ = socket.emit("m", &rec);
        }
        ("publish", _) => {
            let rec = Rec { r#type: "rec", address: &address, body: &body };
            // Within one process nothing is waited for.
            let _ = io.to(address.clone()).emit("m", &rec).now_or_never();
        }
        ("register", _) => socket.join(address),
        _ => {}
    }
}
