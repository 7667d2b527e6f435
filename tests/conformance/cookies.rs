//! The cookie that sticky load balancers look at.

use crate::support::http::{Answer, get, post, request, stream};
use crate::support::server::{Server, echo};
use trolleybus::sockjs::Options;

async fn server() -> Server {
    Server::start(Options { jsessionid: true, ..Options::default() }, echo).await
}

fn cookie(answer: &Answer) -> Option<&str> {
    answer.header("set-cookie")
}

#[tokio::test]
async fn session_urls_set_a_dummy_cookie() {
    let server = server().await;
    let dummy = Some("JSESSIONID=dummy; path=/");
    assert_eq!(cookie(&post(server.addr, "/sockjs/0/a/xhr", "").await), dummy);
    assert_eq!(cookie(&post(server.addr, "/sockjs/0/a/xhr_send", "[]").await), dummy);
    assert_eq!(cookie(&post(server.addr, "/sockjs/0/a/xhr_send", "nonsense").await), dummy);
    assert_eq!(cookie(&get(server.addr, "/sockjs/0/b/jsonp?c=x").await), dummy);
    assert_eq!(cookie(&post(server.addr, "/sockjs/0/b/jsonp_send", "[]").await), dummy);
    for (method, path) in
        [("POST", "c/xhr_streaming"), ("GET", "d/eventsource"), ("GET", "e/htmlfile?c=x")]
    {
        let (_, head) = stream(server.addr, method, &format!("/sockjs/0/{path}")).await;
        assert_eq!(head.header("set-cookie"), dummy, "{path}");
    }
}

#[tokio::test]
async fn a_cookie_that_is_there_is_repeated() {
    let server = server().await;
    let headers = "Cookie: a=b; JSESSIONID=abcdef; c=d\r\n";
    let answer = request(server.addr, "POST", "/sockjs/0/a/xhr", headers, "").await;
    assert_eq!(cookie(&answer), Some("JSESSIONID=abcdef; path=/"));
}

#[tokio::test]
async fn documents_set_no_cookie() {
    let server = server().await;
    for path in ["/sockjs", "/sockjs/info", "/sockjs/iframe.html"] {
        assert_eq!(cookie(&get(server.addr, path).await), None, "{path}");
    }
    assert!(get(server.addr, "/sockjs/info").await.body.contains("\"cookie_needed\":true"));
}

#[tokio::test]
async fn without_the_option_there_is_no_cookie() {
    let server = Server::echo().await;
    assert_eq!(cookie(&post(server.addr, "/sockjs/0/a/xhr", "").await), None);
}
