//! Static documents: the greeting and the iframe page.

use crate::support::http::{Connection, get, request};
use crate::support::server::{Server, echo};
use trolleybus::sockjs::Options;

#[tokio::test]
async fn greeting_is_plain_text_without_cookie() {
    let server = Server::start(Options { jsessionid: true, ..Options::default() }, echo).await;
    let answer = get(server.addr, "/sockjs").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn http_1_0_gets_a_whole_answer_and_a_closed_connection() {
    let server = Server::echo().await;
    let mut connection = Connection::open(server.addr).await;
    connection.write("GET /sockjs/ HTTP/1.0\r\nHost: x\r\n\r\n").await;
    let head = connection.head().await;
    assert_eq!((head.status, head.header("transfer-encoding")), (200, None));
    assert_eq!(connection.rest().await, "Welcome to SockJS!\n");
}

#[tokio::test]
async fn http_1_1_takes_a_second_request() {
    let server = Server::echo().await;
    let mut connection = Connection::open(server.addr).await;
    for _ in 0..2 {
        connection.request("GET", "/sockjs", "", "").await;
        assert_eq!(connection.answer().await.body.len(), 19);
    }
}

#[tokio::test]
async fn iframe_pages_of_every_version_are_the_same() {
    let server = Server::echo().await;
    let page = get(server.addr, "/sockjs/iframe.html").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(page.header("cache-control"), Some("public, max-age=31536000"));
    assert!(page.header("expires").is_some() && page.header("last-modified").is_none());
    for name in ["iframe-a.html", "iframe-0.1.2.html", "iframe_x.html?t=1", "iframe-abc-.html"] {
        let other = get(server.addr, &format!("/sockjs/{name}")).await;
        assert_eq!(other.body, page.body, "{name}");
        assert_eq!(other.header("etag"), page.header("etag"), "{name}");
    }
}

#[tokio::test]
async fn other_names_are_no_iframe_pages() {
    let server = Server::echo().await;
    for name in
        ["iframe.htm", "iframe", "IFRAME.HTML", "iframe.HTML", "iframe.xml", "iframe-/.html"]
    {
        assert_eq!(get(server.addr, &format!("/sockjs/{name}")).await.status(), 404, "{name}");
    }
}

#[tokio::test]
async fn the_iframe_page_loads_the_configured_client() {
    let client_url = "/js/sockjs.js?a&b".to_owned();
    let server = Server::start(Options { client_url, ..Options::default() }, echo).await;
    let page = get(server.addr, "/sockjs/iframe.html").await;
    assert!(page.body.contains("<script src=\"/js/sockjs.js?a&amp;b\"></script>"), "{}", page.body);
}

#[tokio::test]
async fn a_known_iframe_page_is_304() {
    let server = Server::echo().await;
    let path = "/sockjs/iframe.html";
    let tag = get(server.addr, path).await.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let headers = format!("If-None-Match: {known}\r\n");
        let answer = request(server.addr, "GET", path, &headers, "").await;
        assert_eq!((answer.status(), answer.body.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("content-type"), None);
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    let answer = request(server.addr, "GET", path, "If-None-Match: \"x\"\r\n", "").await;
    assert_eq!(answer.status(), 200);
}
