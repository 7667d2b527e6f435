//! WebSocket with SockJS framing.

use std::time::Duration;

use bytes::Bytes;
use yawc::{Frame, OpCode};

use crate::support::http::{Connection, post, request};
use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;
use trolleybus::sockjs::{Options, Socket, Transport};

const PATH: &str = "/sockjs/000/w/websocket";
const UPGRADE: &str = "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn opened(server: &Server) -> Client {
    let mut client = Client::open(server.addr, PATH).await;
    assert_eq!(client.text().await, "o");
    client
}

#[tokio::test]
async fn messages_go_round() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    client.send("[\"a\"]").await;
    assert_eq!(client.text().await, "a[\"a\"]");
    client.send(" [\"b\", \"c\"] ").await;
    assert_eq!(client.text().await, "a[\"b\"]");
    assert_eq!(client.text().await, "a[\"c\"]");
    client.send("\"bare\"").await;
    assert_eq!(client.text().await, "a[\"bare\"]");
}

#[tokio::test]
async fn messages_of_all_sizes_keep_their_order() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    let sizes = [1, 5_000, 3, 60_000, 4_080, 4_096, 20_000, 20_000, 20_000, 2, 50_000, 7];
    let text = |size: usize| format!("\"{size}:{}\"", "x".repeat(size));
    client.send_frame(Frame::ping("are you there")).await;
    for size in sizes {
        client.send(&text(size)).await;
    }
    assert_eq!(client.frame().await.unwrap().opcode(), OpCode::Pong);
    for size in sizes {
        assert!(client.text().await == format!("a[{}]", text(size)), "{size}");
    }
}

#[tokio::test]
async fn empty_frames_and_empty_arrays_are_ignored() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    for nothing in ["", "[]", "[ ]"] {
        client.send(nothing).await;
    }
    client.send("[\"x\"]").await;
    assert_eq!(client.text().await, "a[\"x\"]");
}

#[tokio::test]
async fn broken_frames_end_the_connection_without_a_data_frame() {
    for broken in ["[\"a", "{}", "[1]", "[null]", "nonsense", "[\"a\"]x", "\"a"] {
        let (server, mut log) = Server::observed(quick()).await;
        let mut client = opened(&server).await;
        client.send(broken).await;
        assert_eq!(client.closed().await.0, 3000, "{broken}");
        assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
        assert_eq!(soon(log.recv()).await, Some(Seen::Closed), "{broken}");
    }
}

#[tokio::test]
async fn a_server_close_is_a_frame_and_then_a_websocket_close() {
    let server = Server::closing(Options::default()).await;
    let mut client = opened(&server).await;
    assert_eq!(client.text().await, "c[3000,\"Go away!\"]");
    assert_eq!(client.closed().await.0, 1000);
    assert!(client.frame().await.is_none());
}

#[tokio::test]
async fn queued_messages_go_before_the_close() {
    let server = Server::start(Options::default(), |socket: Socket| async move {
        socket.send("last words").unwrap();
    })
    .await;
    let mut client = opened(&server).await;
    assert_eq!(client.text().await, "a[\"last words\"]");
    assert_eq!(client.text().await, "c[1000,\"Normal closure\"]");
}

#[tokio::test]
async fn a_client_close_is_answered_and_the_service_told() {
    let (server, mut log) = Server::observed(quick()).await;
    let mut client = opened(&server).await;
    client.send_frame(Frame::close(yawc::close::CloseCode::Normal, "bye")).await;
    assert_eq!(client.closed().await, (1000, "bye".to_owned()));
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}

#[tokio::test]
async fn a_lost_connection_is_told_to_the_service() {
    let (server, mut log) = Server::observed(quick()).await;
    let client = opened(&server).await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    drop(client);
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}

#[tokio::test]
async fn one_id_may_be_open_twice() {
    let server = Server::echo().await;
    let (mut first, mut second) = (opened(&server).await, opened(&server).await);
    first.send("[\"1\"]").await;
    second.send("[\"2\"]").await;
    assert_eq!(first.text().await, "a[\"1\"]");
    assert_eq!(second.text().await, "a[\"2\"]");
}

#[tokio::test]
async fn uploads_do_not_reach_a_websocket() {
    let server = Server::echo().await;
    let _client = opened(&server).await;
    assert_eq!(post(server.addr, "/sockjs/000/w/xhr_send", "[\"x\"]").await.status(), 404);
}

#[tokio::test]
async fn tokens_are_read_without_case_and_101_has_no_length() {
    let server = Server::echo().await;
    let mut connection = Connection::open(server.addr).await;
    connection.request("GET", PATH, UPGRADE, "").await;
    let head = connection.head().await;
    assert_eq!(head.status, 101);
    assert_eq!(head.header("content-length"), None);
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(head.header("sec-websocket-extensions"), None);
    assert_eq!(head.header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn what_is_no_handshake_is_400() {
    let server = Server::echo().await;
    let cases = [
        String::new(),
        "Upgrade: websocket\r\n".to_owned(),
        UPGRADE.replace("keep-alive, Upgrade", "close"),
        UPGRADE.replace("WebSocket", "h2c"),
        UPGRADE.replace("13", "12"),
        UPGRADE.replace("Sec-WebSocket-Key", "X-Key"),
    ];
    for headers in cases {
        for path in [PATH, "/sockjs/websocket"] {
            let answer = request(server.addr, "GET", path, &headers, "").await;
            assert_eq!(answer.status(), 400, "{path} {headers}");
        }
    }
    assert_eq!(server.service.open_sockets(), 0);
}

#[tokio::test]
async fn heartbeats_are_sent() {
    let options = Options { heartbeat_interval: Duration::from_millis(30), ..Options::default() };
    let server = Server::start(options, echo).await;
    let mut client = opened(&server).await;
    assert_eq!(client.text().await, "h");
    assert_eq!(client.text().await, "h");
}

#[tokio::test]
async fn pings_are_answered() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    client.send_frame(Frame::ping("are you there")).await;
    let frame = client.frame().await.unwrap();
    assert_eq!(frame.opcode(), OpCode::Pong);
    assert_eq!(frame.as_str(), "are you there");
}

#[tokio::test]
async fn fragments_make_one_message() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    client.send_frame(Frame::text("[\"a").with_fin(false)).await;
    client.send_frame(Frame::ping("in between")).await;
    client.send_frame(Frame::continuation("b\"]")).await;
    assert_eq!(client.frame().await.unwrap().opcode(), OpCode::Pong);
    assert_eq!(client.text().await, "a[\"ab\"]");
}

#[tokio::test]
async fn binary_frames_with_text_are_taken() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    client.send_frame(Frame::binary("[\"a\"]")).await;
    assert_eq!(client.text().await, "a[\"a\"]");
}

#[tokio::test]
async fn bytes_that_are_no_text_end_the_connection() {
    let server = Server::echo().await;
    let mut client = opened(&server).await;
    client.send_frame(Frame::text(Bytes::from_static(b"[\"\xff\"]"))).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn messages_sent_from_elsewhere_arrive() {
    let (hand_over, mut senders) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(Options::default(), move |mut socket: Socket| {
        hand_over.send(socket.sender()).unwrap();
        async move { while socket.recv().await.is_some() {} }
    })
    .await;
    let mut client = opened(&server).await;
    let sender = soon(senders.recv()).await.unwrap();
    for round in 0..100 {
        sender.send(round.to_string()).unwrap();
        assert_eq!(client.text().await, format!("a[\"{round}\"]"));
    }
    sender.close(4000, "enough");
    assert_eq!(client.text().await, "c[4000,\"enough\"]");
    assert!(sender.is_closed() && sender.send("x").is_err());
}

#[tokio::test]
async fn a_panic_closes_its_own_socket_only() {
    let server = Server::start(Options::default(), |mut socket: Socket| async move {
        while let Some(message) = socket.recv().await {
            assert_ne!(message, "panic");
            socket.send(message).unwrap();
        }
    })
    .await;
    let (mut unlucky, mut other) = (opened(&server).await, opened(&server).await);
    unlucky.send("[\"panic\"]").await;
    assert_eq!(unlucky.text().await, "c[1011,\"Internal error\"]");
    other.send("[\"fine\"]").await;
    assert_eq!(other.text().await, "a[\"fine\"]");
}

#[tokio::test]
async fn the_first_request_is_known_to_the_service() {
    let server = Server::start(Options::default(), |socket: Socket| async move {
        let info = socket.info();
        let addr = info.remote_addr().unwrap().ip();
        let origin = info.header("origin").unwrap_or("none").to_owned();
        let query = info.query().unwrap_or("none");
        socket.send(format!("{} {addr} {origin} {query}", info.transport())).unwrap();
    })
    .await;
    let mut client = Client::open(server.addr, &format!("{PATH}?token=x")).await;
    assert_eq!(client.text().await, "o");
    let expected = format!("a[\"{} 127.0.0.1 none token=x\"]", Transport::WebSocket);
    assert_eq!(client.text().await, expected);
}
