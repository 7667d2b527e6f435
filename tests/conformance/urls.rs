//! URLs: what names an endpoint, and what does not.

use crate::support::http::{get, post, request};
use crate::support::server::{Server, echo, serve};
use axum::Router;
use trolleybus::sockjs::{self, Options};

#[tokio::test]
async fn base_url_answers_with_and_without_slash() {
    let server = Server::echo().await;
    for path in ["/sockjs", "/sockjs/", "/sockjs?t=1"] {
        assert_eq!(get(server.addr, path).await.body, "Welcome to SockJS!\n", "{path}");
    }
}

#[tokio::test]
async fn doubled_slashes_are_404() {
    let server = Server::echo().await;
    let paths = ["/sockjs//", "/sockjs///", "/sockjs//info", "/sockjs//a/b/xhr", "/sockjs/info//"];
    for path in paths {
        assert_eq!(get(server.addr, path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn ids_are_not_empty_and_have_no_dots() {
    let server = Server::echo().await;
    for ids in ["a./a", "a/.a", "a.a/a", "/a", "a/", "/", "a", "a/a/a", "..", "a/a%2Exhr"] {
        let path = format!("/sockjs/{ids}/xhr_");
        assert_eq!(get(server.addr, &path).await.status(), 404, "GET {path}");
        assert_eq!(post(server.addr, &path, "").await.status(), 404, "POST {path}");
        let path = format!("/sockjs/{ids}/jsonp/x");
        assert_eq!(get(server.addr, &path).await.status(), 404, "GET {path}");
    }
    for ids in ["a./a", "a/.a", "/a", "a/", "a", "a/a/a"] {
        let path = format!("/sockjs/{ids}/xhr");
        assert_eq!(post(server.addr, &path, "").await.status(), 404, "POST {path}");
    }
}

#[tokio::test]
async fn long_ids_are_404() {
    let server = Server::echo().await;
    let path = |length| format!("/sockjs/000/{}/xhr", "s".repeat(length));
    assert_eq!(post(server.addr, &path(256), "").await.status(), 200);
    assert_eq!(post(server.addr, &path(257), "").await.status(), 404);
}

#[tokio::test]
async fn one_slash_at_the_end_is_ignored() {
    let server = Server::echo().await;
    assert_eq!(get(server.addr, "/sockjs/info/").await.status(), 200);
    assert_eq!(post(server.addr, "/sockjs/000/a/xhr/", "").await.body, "o\n");
}

#[tokio::test]
async fn case_matters() {
    let server = Server::echo().await;
    assert_eq!(get(server.addr, "/sockjs/INFO").await.status(), 404);
    assert_eq!(post(server.addr, "/sockjs/000/a/XHR", "").await.status(), 404);
}

#[tokio::test]
async fn percent_escapes_are_taken_as_written() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, "/sockjs/000/a%2Fb/xhr", "").await.body, "o\n");
    assert_eq!(post(server.addr, "/sockjs/000/a%2Fb/xhr_send", "[]").await.status(), 204);
    assert_eq!(post(server.addr, "/sockjs/000/a%2fb/xhr_send", "[]").await.status(), 404);
}

#[tokio::test]
async fn a_session_is_found_whatever_the_server_part() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, "/sockjs/000/s/xhr", "").await.body, "o\n");
    assert_eq!(post(server.addr, "/sockjs/999/s/xhr_send", "[\"a\"]").await.status(), 204);
    assert_eq!(post(server.addr, "/sockjs/555/s/xhr", "").await.body, "a[\"a\"]\n");
}

#[tokio::test]
async fn unknown_query_parameters_are_ignored() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, "/sockjs/000/q/xhr?t=12&x=%zz", "").await.body, "o\n");
}

#[tokio::test]
async fn wrong_methods_are_405_with_allow_and_nothing_else() {
    let server = Server::echo().await;
    let cases = [
        ("POST", "", "GET"),
        ("POST", "/info", "OPTIONS, GET"),
        ("HEAD", "/info", "OPTIONS, GET"),
        ("POST", "/iframe.html", "GET"),
        ("POST", "/websocket", "GET"),
        ("POST", "/0/0/websocket", "GET"),
        ("GET", "/0/0/xhr", "OPTIONS, POST"),
        ("PUT", "/0/0/xhr_streaming", "OPTIONS, POST"),
        ("GET", "/0/0/xhr_send", "OPTIONS, POST"),
        ("OPTIONS", "/0/0/eventsource", "GET"),
        ("OPTIONS", "/0/0/htmlfile", "GET"),
        ("OPTIONS", "/0/0/jsonp", "GET"),
        ("OPTIONS", "/0/0/jsonp_send", "POST"),
        ("DELETE", "/0/0/jsonp_send", "POST"),
    ];
    for (method, path, allow) in cases {
        let answer = request(server.addr, method, &format!("/sockjs{path}"), "", "").await;
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.header("content-type"), None, "{method} {path}");
        assert_eq!(answer.body, "", "{method} {path}");
    }
}

#[tokio::test]
async fn services_may_be_mounted_deep_and_under_captures() {
    let inner = Router::new().nest_service("/echo", sockjs::router(Options::default(), echo));
    let app = Router::new().nest("/api/{version}", inner);
    let addr = serve(sockjs::mount(app, "/top", Options::default(), echo)).await;
    for base in ["/top", "/api/v1/echo"] {
        assert_eq!(get(addr, base).await.status(), 200, "{base}");
        assert_eq!(get(addr, &format!("{base}/")).await.status(), 200, "{base}/");
        assert_eq!(get(addr, &format!("{base}//")).await.status(), 404, "{base}//");
        assert_eq!(post(addr, &format!("{base}/000/a/xhr"), "").await.body, "o\n", "{base}");
    }
}

#[tokio::test]
async fn each_service_has_sessions_of_its_own() {
    let app = Router::new();
    let app = sockjs::mount(app, "/a", Options::default(), echo);
    let addr = serve(sockjs::mount(app, "/b", Options::default(), echo)).await;
    assert_eq!(post(addr, "/a/000/s/xhr", "").await.body, "o\n");
    assert_eq!(post(addr, "/b/000/s/xhr_send", "[]").await.status(), 404);
}
