//! Frames: escapes in both directions, and messages joined in one.

use crate::support::http::post;
use crate::support::server::Server;
use crate::support::websocket::Client;
use trolleybus::sockjs::{Options, Socket};
use trolleybus_protocol::sockjs::{Frame, encode_upload};

#[tokio::test]
async fn characters_that_browsers_damage_are_escaped_in_lower_case() {
    let server = Server::echo().await;
    let mut client = Client::open(server.addr, "/sockjs/0/0/websocket").await;
    assert_eq!(client.text().await, "o");
    client.send("[\"\u{200c}\u{2028}\u{206f}\u{fff0}\\u0000\"]").await;
    assert_eq!(client.text().await, r#"a["\u200c\u2028\u206f\ufff0\u0000"]"#);
}

#[tokio::test]
async fn every_character_of_the_basic_plane_comes_back() {
    let server = Server::echo().await;
    let mut client = Client::open(server.addr, "/sockjs/0/0/websocket").await;
    assert_eq!(client.text().await, "o");
    let all: String = (0..=0xffff).filter_map(char::from_u32).collect();
    let escaped: String = all.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    for upload in [encode_upload([all.as_str()]), format!("[\"{escaped}\"]")] {
        client.send(&upload).await;
        let frame = Frame::parse(&client.text().await).unwrap();
        assert_eq!(frame, Frame::Messages(vec![all.clone()]));
    }
}

#[tokio::test]
async fn escaped_surrogates_are_joined() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, "/sockjs/0/e/xhr", "").await.body, "o\n");
    let sent = post(server.addr, "/sockjs/0/e/xhr_send", r#"["\ud83d\ude00"]"#).await;
    assert_eq!(sent.status(), 204);
    assert_eq!(post(server.addr, "/sockjs/0/e/xhr", "").await.body, "a[\"😀\"]\n");
}

#[tokio::test]
async fn queued_messages_come_in_one_frame() {
    let server = Server::start(Options::default(), |mut socket: Socket| async move {
        socket.send("a").unwrap();
        socket.send("b\"").unwrap();
        socket.recv().await;
    })
    .await;
    assert_eq!(post(server.addr, "/sockjs/0/j/xhr", "").await.body, "o\n");
    assert_eq!(post(server.addr, "/sockjs/0/j/xhr", "").await.body, "a[\"a\",\"b\\\"\"]\n");
}
