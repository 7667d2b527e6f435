//! Header recipes: caching, cross-origin access, preflights, content types.

use crate::support::http::{Answer, get, post, request};
use crate::support::server::Server;

const NO_CACHE: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";

fn assert_no_cache(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some(NO_CACHE));
    assert_eq!(answer.header("expires"), None);
    assert_eq!(answer.header("last-modified"), None);
}

fn assert_cacheable(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000"));
    assert!(answer.header("expires").is_some());
}

#[tokio::test]
async fn without_an_origin_any_page_may_read() {
    let server = Server::echo().await;
    let answer = get(server.addr, "/sockjs/info").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn an_origin_is_echoed_with_credentials() {
    let server = Server::echo().await;
    for origin in ["http://a.example", "null"] {
        let headers = format!("Origin: {origin}\r\n");
        for (method, path) in [("GET", "/info"), ("POST", "/0/0/xhr_send"), ("OPTIONS", "/info")] {
            let answer =
                request(server.addr, method, &format!("/sockjs{path}"), &headers, "").await;
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{path}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{path}");
        }
    }
}

#[tokio::test]
async fn requested_headers_are_allowed_as_written_unless_empty() {
    let server = Server::echo().await;
    let asked = |names: &str| format!("Access-Control-Request-Headers: {names}\r\n");
    let path = "/sockjs/0/0/xhr";
    let answer = request(server.addr, "OPTIONS", path, &asked("a, B-c"), "").await;
    assert_eq!(answer.header("access-control-allow-headers"), Some("a, B-c"));
    let answer = request(server.addr, "OPTIONS", path, &asked(""), "").await;
    assert_eq!(answer.header("access-control-allow-headers"), None);
}

#[tokio::test]
async fn preflights_are_empty_and_cacheable() {
    let server = Server::echo().await;
    let cases = [
        ("/info", "OPTIONS, GET"),
        ("/0/0/xhr", "OPTIONS, POST"),
        ("/0/0/xhr_streaming", "OPTIONS, POST"),
        ("/0/0/xhr_send", "OPTIONS, POST"),
    ];
    for (path, methods) in cases {
        let answer = request(server.addr, "OPTIONS", &format!("/sockjs{path}"), "", "").await;
        assert_eq!((answer.status(), answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{path}");
        assert_eq!(answer.header("access-control-max-age"), Some("31536000"), "{path}");
        assert_cacheable(&answer);
    }
}

#[tokio::test]
async fn content_types_are_exact_and_answers_are_not_cached() {
    let server = Server::echo().await;
    let javascript = "application/javascript; charset=UTF-8";
    let poll = post(server.addr, "/sockjs/0/a/xhr", "").await;
    assert_eq!(poll.header("content-type"), Some(javascript));
    let sent = post(server.addr, "/sockjs/0/a/xhr_send", "[]").await;
    assert_eq!(sent.header("content-type"), Some("text/plain; charset=UTF-8"));
    let script = get(server.addr, "/sockjs/0/b/jsonp?c=x").await;
    assert_eq!(script.header("content-type"), Some(javascript));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    let info = get(server.addr, "/sockjs/info").await;
    assert_eq!(info.header("content-type"), Some("application/json; charset=UTF-8"));
    for answer in [poll, sent, script, info] {
        assert_no_cache(&answer);
    }
}

#[tokio::test]
async fn refused_uploads_can_be_read_across_origins() {
    let server = Server::echo().await;
    let headers = "Origin: http://a.example\r\n";
    let answer = request(server.addr, "POST", "/sockjs/0/none/xhr_send", headers, "[]").await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://a.example"));
}
