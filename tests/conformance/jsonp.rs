//! JSONP polling: each frame a script that calls back.

use crate::support::http::{get, post, request};
use crate::support::server::Server;

const POLL: &str = "/sockjs/000/j/jsonp?c=%63b";
const SEND: &str = "/sockjs/000/j/jsonp_send";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn frames_are_calls() {
    let server = Server::echo().await;
    assert_eq!(get(server.addr, POLL).await.body, "/**/cb(\"o\");\r\n");
    let sent = request(server.addr, "POST", SEND, FORM, "d=%5B%22a+b%2B%22%5D").await;
    assert_eq!((sent.status(), sent.body.as_str()), (200, "ok"));
    assert_eq!(get(server.addr, POLL).await.body, "/**/cb(\"a[\\\"a b+\\\"]\");\r\n");
}

#[tokio::test]
async fn plain_text_is_the_array_itself() {
    let server = Server::echo().await;
    get(server.addr, POLL).await;
    for headers in ["", "Content-Type: text/plain\r\n"] {
        let sent = request(server.addr, "POST", SEND, headers, "[\"d=%20\"]").await;
        assert_eq!((sent.status(), sent.body.as_str()), (200, "ok"));
        assert_eq!(get(server.addr, POLL).await.body, "/**/cb(\"a[\\\"d=%20\\\"]\");\r\n");
    }
}

#[tokio::test]
async fn a_callback_is_needed_and_checked() {
    let server = Server::echo().await;
    for (query, reason) in [
        ("", "\"callback\" parameter required"),
        ("?c=", "\"callback\" parameter required"),
        ("?c=a%28", "invalid \"callback\" parameter"),
        ("?callback=%2b", "invalid \"callback\" parameter"),
    ] {
        let answer = get(server.addr, &format!("/sockjs/000/j/jsonp{query}")).await;
        assert_eq!(answer.status(), 500, "{query}");
        assert!(answer.body.contains(reason), "{query}: {}", answer.body);
    }
    let long = format!("/sockjs/000/j/jsonp?c={}", "x".repeat(33));
    assert_eq!(get(server.addr, &long).await.status(), 500);
}

#[tokio::test]
async fn forms_without_messages_are_refused_and_the_session_goes_on() {
    let server = Server::echo().await;
    get(server.addr, POLL).await;
    for (body, reason) in [
        ("", "Payload expected."),
        ("x=1", "Payload expected."),
        ("d=", "Payload expected."),
        ("d=%5B%22x", "Broken JSON encoding."),
    ] {
        let sent = request(server.addr, "POST", SEND, FORM, body).await;
        assert_eq!(sent.status(), 500, "{body}");
        assert!(sent.body.contains(reason), "{body}: {}", sent.body);
    }
    assert_eq!(request(server.addr, "POST", SEND, FORM, "d=[\"y\"]").await.body, "ok");
    assert!(get(server.addr, POLL).await.body.contains('y'));
}

#[tokio::test]
async fn an_upload_to_nowhere_is_404() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, SEND, "[\"x\"]").await.status(), 404);
}
