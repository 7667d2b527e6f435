//! An allow-list of origins: the same answer on every transport.

use trolleybus::sockjs::{Options, Origins};

use crate::support::http::{Answer, request};
use crate::support::server::{Server, echo};

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const ENDPOINTS: [(&str, &str); 9] = [
    ("GET", "/info"),
    ("OPTIONS", "/info"),
    ("POST", "/0/a/xhr"),
    ("OPTIONS", "/0/a/xhr_send"),
    ("POST", "/0/none/xhr_send"),
    ("GET", "/0/b/jsonp?c=x"),
    ("GET", "/0/c/websocket"),
    ("GET", "/websocket"),
    ("POST", "/0/none/jsonp_send"),
];

async fn only(origins: &[&str]) -> Server {
    let list: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let origins = Origins::new(&list, false).unwrap();
    Server::start(Options { origins, ..Options::default() }, echo).await
}

async fn ask(server: &Server, method: &str, path: &str, headers: &str) -> Answer {
    let headers = if path.ends_with("websocket") {
        format!("{HANDSHAKE}{headers}")
    } else {
        headers.to_owned()
    };
    request(server.addr, method, &format!("/sockjs{path}"), &headers, "").await
}

#[tokio::test]
async fn other_origins_are_refused_everywhere_and_may_not_even_read_why() {
    let server = only(&["https://app.example.com"]).await;
    for origin in ["https://evil.example", "null", "http://app.example.com"] {
        for (method, path) in ENDPOINTS {
            let answer = ask(&server, method, path, &format!("Origin: {origin}\r\n")).await;
            assert_eq!(answer.status(), 403, "{method} {path}");
            assert_eq!(answer.body, "This origin is not allowed\n");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
}

#[tokio::test]
async fn listed_origins_and_native_clients_pass() {
    for headers in ["Origin: https://app.example.com\r\n", ""] {
        let server = only(&["https://*.example.com"]).await;
        for (method, path) in ENDPOINTS {
            let answer = ask(&server, method, path, headers).await;
            assert_ne!(answer.status(), 403, "{method} {path}");
        }
    }
    let server = only(&["https://*.example.com"]).await;
    let answer = ask(&server, "GET", "/info", "Origin: https://app.example.com\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
}

#[tokio::test]
async fn a_script_on_another_page_is_no_native_client() {
    let server = only(&["https://app.example.com"]).await;
    let from = |referer: &str| format!("Sec-Fetch-Site: cross-site\r\nReferer: {referer}\r\n");
    let path = "/0/a/jsonp?c=x";
    let evil = ask(&server, "GET", path, &from("https://evil.example/page")).await;
    assert_eq!(evil.status(), 403);
    let app = ask(&server, "GET", path, &from("https://app.example.com/page")).await;
    assert_eq!(app.status(), 200);
}

#[tokio::test]
async fn the_iframe_page_says_who_may_embed_it() {
    let server = only(&["https://app.example.com", "self"]).await;
    let page = ask(&server, "GET", "/iframe.html", "").await;
    let policy = "frame-ancestors https://app.example.com 'self'";
    assert_eq!((page.status(), page.header("content-security-policy")), (200, Some(policy)));
    let page = ask(&Server::echo().await, "GET", "/iframe.html", "").await;
    assert_eq!((page.status(), page.header("content-security-policy")), (200, None));
}
