//! The capabilities document.

use crate::support::http::{get, request};
use crate::support::server::{Server, echo};
use trolleybus::sockjs::{Options, Transport, TransportSet};
use trolleybus_protocol::sockjs::Info;

#[tokio::test]
async fn info_says_what_is_offered() {
    let server = Server::echo().await;
    let body = get(server.addr, "/sockjs/info").await.body;
    let info = Info::parse(&body);
    assert!(info.websocket && !info.cookie_needed);
    assert!(body.contains("\"origins\":[\"*:*\"]"), "{body}");
}

#[tokio::test]
async fn entropy_is_new_each_time() {
    let server = Server::echo().await;
    let first = Info::parse(&get(server.addr, "/sockjs/info").await.body).entropy;
    let second = Info::parse(&get(server.addr, "/sockjs/info").await.body).entropy;
    assert_ne!(first, second);
}

#[tokio::test]
async fn switched_off_websockets_are_said_and_404() {
    let disabled_transports = TransportSet::new().with(Transport::WebSocket);
    let server = Server::start(Options { disabled_transports, ..Options::default() }, echo).await;
    assert!(!Info::parse(&get(server.addr, "/sockjs/info").await.body).websocket);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for path in ["/sockjs/websocket", "/sockjs/0/0/websocket"] {
        assert_eq!(request(server.addr, "GET", path, upgrade, "").await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_base_url_is_passed_on() {
    let base_url = Some("https://other.example/echo".to_owned());
    let options = Options { base_url: base_url.clone(), ..Options::default() };
    let server = Server::start(options, echo).await;
    assert_eq!(Info::parse(&get(server.addr, "/sockjs/info").await.body).base_url, base_url);
}
