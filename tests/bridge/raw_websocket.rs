//! Envelopes without SockJS frames.

use yawc::{Frame, OpCode};

use crate::client::Server;
use crate::support::websocket::Client as WebSocket;

#[tokio::test]
async fn the_server_writes_binary_and_reads_text_and_binary() {
    let server = Server::open().await;
    let mut socket = WebSocket::open(server.addr, "/eventbus/websocket").await;
    socket.send(r#"{"type":"register","address":"a"}"#).await;
    let publish = r#"{"type":"publish","address":"a","body":"x"}"#;
    socket.send_frame(Frame::binary(publish.as_bytes().to_vec())).await;
    let frame = socket.frame().await.unwrap();
    assert_eq!(frame.opcode(), OpCode::Binary);
    assert_eq!(&frame.payload()[..], br#"{"type":"rec","address":"a","body":"x"}"#);
}

#[tokio::test]
async fn binary_garbage_is_invalid_json_and_the_socket_goes_on() {
    let server = Server::open().await;
    let mut socket = WebSocket::open(server.addr, "/eventbus/websocket").await;
    for _ in 0..2 {
        socket.send_frame(Frame::binary(vec![0xff, 0x00, b'{'])).await;
        let frame = socket.frame().await.unwrap();
        assert_eq!(frame.opcode(), OpCode::Binary);
        let text = String::from_utf8(frame.payload().to_vec()).unwrap();
        assert!(text.contains(r#""body":"invalid_json""#), "{text}");
    }
}
