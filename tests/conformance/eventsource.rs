//! Server-sent events.

use crate::support::http::{post, stream};
use crate::support::server::Server;

const STREAM: &str = "/sockjs/000/e/eventsource";
const SEND: &str = "/sockjs/000/e/xhr_send";

#[tokio::test]
async fn frames_are_events() {
    let server = Server::echo().await;
    let (mut stream, head) = stream(server.addr, "GET", STREAM).await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("access-control-allow-origin"), Some("*"));
    assert_eq!(stream.chunk().await.unwrap(), "\r\n");
    assert_eq!(stream.chunk().await.unwrap(), "data: o\r\n\r\n");
    post(server.addr, SEND, "[\"  \\u0000\\n\\r \"]").await;
    assert_eq!(stream.chunk().await.unwrap(), "data: a[\"  \\u0000\\n\\r \"]\r\n\r\n");
}

#[tokio::test]
async fn percent_signs_are_escaped_for_the_client_that_decodes_them() {
    let server = Server::echo().await;
    let (mut stream, _) = stream(server.addr, "GET", STREAM).await;
    stream.chunk().await;
    stream.chunk().await;
    post(server.addr, SEND, "[\"%20\"]").await;
    assert_eq!(stream.chunk().await.unwrap(), "data: a[\"%2520\"]\r\n\r\n");
}
