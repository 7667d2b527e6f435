//! Publish, send and request over HTTP.

use std::net::SocketAddr;

use axum::Router;
use serde_json::{Value, json};
use trolleybus::access::limits::{Limits, LimitsConfig};
use trolleybus::access::{LivePolicy, Permitted};
use trolleybus::bridge::{Bridge, BridgeHook, BridgeOptions};
use trolleybus::gateway::{Authentication, HttpGateway, HttpOptions};
use trolleybus::{Bus, BusMessage as _, DeliveryOptions, EventBus as _};
use trolleybus_tests::support::http::{Answer, Connection, get, request};
use trolleybus_tests::support::server::serve;
use trolleybus_tests::support::soon;

use super::client::{open_policy, policy};

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) bus: Bus,
    pub(crate) gateway: HttpGateway,
}

impl Server {
    pub(crate) async fn with(policy: LivePolicy, options: HttpOptions) -> Self {
        Self::limited(policy, options, None, &LimitsConfig::none()).await
    }

    pub(crate) async fn limited(
        policy: LivePolicy,
        options: HttpOptions,
        authentication: Option<Authentication>,
        limits: &LimitsConfig,
    ) -> Self {
        let (bus, limits) = (Bus::new(), Limits::new(limits));
        let gateway =
            HttpGateway::new(bus.clone(), policy, authentication, limits, options).unwrap();
        Self::serve(bus, gateway).await
    }

    /// Beside a bridge over SockJS, with its rules and hook.
    pub(crate) async fn hooked(
        rules: BridgeOptions,
        options: HttpOptions,
        authentication: Option<Authentication>,
        hook: impl BridgeHook,
    ) -> Self {
        let bus = Bus::new();
        let bridge = Bridge::builder(bus.clone(), rules).hook(hook).build().unwrap();
        Self::serve(bus, HttpGateway::beside(&bridge, authentication, options).unwrap()).await
    }

    async fn serve(bus: Bus, gateway: HttpGateway) -> Self {
        let addr = serve(Router::new().nest_service("/api", gateway.router("/api"))).await;
        Self { addr, bus, gateway }
    }

    pub(crate) async fn open() -> Self {
        Self::with(open_policy(), HttpOptions::default()).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        request(self.addr, "POST", &format!("/api/{path}"), headers, body).await
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

fn failure(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    (answer.status(), serde_json::from_str(&answer.body).unwrap())
}

/// Status and word of a refusal.
async fn refused(server: &Server, path: &str, headers: &str, body: &str) -> (u16, String) {
    let (status, failure) = failure(&server.post(path, headers, body).await);
    (status, failure["body"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn messages_arrive_as_they_were_written() {
    let server = Server::open().await;
    let mut consumer = server.bus.consumer("orders");
    let headers = format!("{JSON}X-Bus-Colour: red\r\n");
    let sent = server.post("send/orders", &headers, " {\"n\": 1.10} ").await;
    assert_eq!((sent.status(), sent.body.as_str()), (204, ""));
    let message = soon(consumer.recv()).await.unwrap();
    assert_eq!((message.body().as_json(), message.is_send()), ("{\"n\": 1.10}", true));
    assert_eq!(message.headers().iter().collect::<Vec<_>>(), [("colour", "red")]);
    let published = server.post("publish/orders", "Content-Type: text/plain\r\n", "goal").await;
    assert_eq!(published.status(), 204);
    let message = soon(consumer.recv()).await.unwrap();
    assert_eq!((message.body().as_json(), message.is_send()), ("\"goal\"", false));
    assert_eq!(server.post("publish/orders", "", "").await.status(), 204);
    assert!(soon(consumer.recv()).await.unwrap().body().is_null());
}

#[tokio::test]
async fn addresses_may_hold_anything() {
    let server = Server::open().await;
    for (path, address) in [
        ("news/europe/sport", "news/europe/sport"),
        ("news%2Feurope%20x", "news/europe x"),
        ("%C3%A9%3F%23", "é?#"),
        ("/leading", "/leading"),
        ("%2Fleading", "/leading"),
        ("a+b", "a+b"),
    ] {
        let mut consumer = server.bus.consumer(address);
        let sent = server.post(&format!("send/{path}"), JSON, "1").await;
        assert_eq!(sent.status(), 204, "{path}");
        assert_eq!(soon(consumer.recv()).await.unwrap().address().as_str(), address);
    }
}

#[tokio::test]
async fn a_request_gives_the_reply_and_its_headers() {
    let server = Server::open().await;
    server.bus.consumer_fn("echo", |message| async move {
        let options = DeliveryOptions::new().header("Served-By", "me").unwrap();
        message.reply_with(message.body().clone(), options).unwrap();
    });
    let answer = server.post("request/echo?timeout=10000", JSON, "{\"n\": 1.10}").await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "{\"n\": 1.10}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-bus-served-by"), Some("me"));
}

#[tokio::test]
async fn failures_have_a_status_and_the_fields_of_the_wire() {
    let server = Server::open().await;
    server.bus.consumer_fn("shop", |message| async move { message.fail(42, "sold out").unwrap() });
    let _silent = server.bus.consumer("silent");
    let failed = failure(&server.post("request/shop", JSON, "1").await);
    let body =
        json!({"failureCode": 42, "failureType": "RECIPIENT_FAILURE", "message": "sold out"});
    assert_eq!(failed, (502, body));
    for operation in ["request", "send", "publish"] {
        let (status, body) = failure(&server.post(&format!("{operation}/nobody"), JSON, "1").await);
        assert_eq!((status, &body["failureType"]), (404, &json!("NO_HANDLERS")), "{operation}");
    }
    let (status, body) = failure(&server.post("request/silent?timeout=20", JSON, "1").await);
    assert_eq!(
        (status, &body["failureType"], &body["failureCode"]),
        (504, &json!("TIMEOUT"), &json!(-1))
    );
}

#[tokio::test]
async fn refusals_have_a_status_and_the_word() {
    let rules = [Permitted::address("open"), Permitted::address("clerks").requiring("clerk")];
    let options =
        HttpOptions { max_body_size: 10, max_address_length: 12, ..HttpOptions::default() };
    let server = Server::with(policy(&rules, &rules), options).await;
    let cases = [
        ("publish/other", JSON, "1", (403, "access_denied")),
        ("publish/clerks", JSON, "1", (401, "not_logged_in")),
        ("publish/open", JSON, "{", (400, "invalid_json")),
        ("publish/open", JSON, "12345678901", (413, "too_large")),
        ("publish/open", "Content-Type: text/html\r\n", "x", (415, "unsupported_media_type")),
        ("publish/open", "X-Bus-: x\r\n", "1", (400, "invalid_headers")),
        ("publish/muchtoolongaddress", JSON, "1", (400, "max_address_length_reached")),
        ("publish/%ff", JSON, "1", (400, "missing_address")),
        ("request/open?timeout=soon", JSON, "1", (400, "invalid_timeout")),
    ];
    for (path, headers, body, (status, word)) in cases {
        assert_eq!(
            refused(&server, path, headers, body).await,
            (status, word.to_owned()),
            "{path}"
        );
    }
    assert_eq!(get(server.addr, "/api/publish/open").await.status(), 405);
    assert_eq!(get(server.addr, "/api/else").await.status(), 404);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let options = HttpOptions { body_timeout_ms: 50, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let mut connection = Connection::open(server.addr).await;
    connection.write("POST /api/send/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1").await;
    assert_eq!(connection.answer().await.status(), 408);
}

#[tokio::test]
async fn requests_that_wait_are_bounded() {
    let options = HttpOptions { max_requests: 1, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let mut consumer = server.bus.consumer("slow");
    let mut first = Connection::open(server.addr).await;
    first.request("POST", "/api/request/slow", JSON, "1").await;
    let held = soon(consumer.recv()).await.unwrap();
    let second = refused(&server, "request/slow", JSON, "2").await;
    assert_eq!(second, (429, "max_handlers_reached".to_owned()));
    held.reply("done").unwrap();
    assert_eq!(first.answer().await.body, "\"done\"");
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_unless_allowed() {
    let allowed = vec!["https://shop.example".to_owned(), "https://*.shop.example".to_owned()];
    let options = HttpOptions { allowed_origins: allowed, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let mut consumer = server.bus.consumer("a");
    let evil = "Origin: https://evil.example\r\nContent-Type: text/plain\r\n";
    assert_eq!(refused(&server, "send/a", evil, "x").await, (403, "origin_not_allowed".into()));
    let listening = request(server.addr, "GET", "/api/subscribe/a", evil, "").await;
    assert_eq!(listening.status(), 403);
    let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    let asked = request(server.addr, "OPTIONS", "/api/send/a", preflight, "").await;
    assert_eq!((asked.status(), asked.header("access-control-allow-origin")), (403, None));

    let shop = "Origin: https://shop.example\r\nContent-Type: text/plain\r\n";
    let sent = server.post("send/a", shop, "x").await;
    assert_eq!(sent.status(), 204);
    assert_eq!(sent.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(sent.header("vary"), Some("Origin"));
    let preflight = "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n\
                     Access-Control-Request-Headers: authorization,content-type\r\n";
    let asked = request(server.addr, "OPTIONS", "/api/send/a", preflight, "").await;
    assert_eq!(asked.status(), 204);
    let granted = asked.header("access-control-allow-headers");
    assert_eq!(granted, Some("authorization,content-type"));
    let below = "Origin: https://tea.shop.example\r\nContent-Type: text/plain\r\n";
    assert_eq!(server.post("send/a", below, "x").await.status(), 204);
    // A picture or script of another page tells no origin, but its browser says so.
    let picture = "Sec-Fetch-Site: cross-site\r\nReferer: https://evil.example/\r\n";
    let listening = request(server.addr, "GET", "/api/subscribe/a", picture, "").await;
    assert_eq!(listening.status(), 403);
    let own = "Origin: http://localhost\r\nContent-Type: text/plain\r\n";
    assert_eq!(server.post("send/a", own, "x").await.status(), 204);
    // Only what was allowed arrived.
    for _ in 0..3 {
        soon(consumer.recv()).await.unwrap();
    }
    assert_eq!(server.bus.stats().sent, 3);
}

#[tokio::test]
async fn the_document_has_every_route() {
    let server = Server::open().await;
    let answer = get(server.addr, "/api/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"][0]["url"], "/api");
    let paths = document["paths"].as_object().unwrap();
    let mut routes: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |verb| (path.as_str(), verb.as_str()))
        })
        .collect();
    routes.sort_unstable();
    let expected = [
        ("/publish/{address}", "post"),
        ("/request/{address}", "post"),
        ("/send/{address}", "post"),
        ("/subscribe/{address}", "get"),
    ];
    assert_eq!(routes, expected);
    for (path, verb) in routes {
        // Each is there: asked for an address nobody consumes, it does not say that it is unknown.
        let real = format!("/api{}", path.replace("{address}", "nobody"));
        let answer = Connection::open(server.addr).await;
        let mut connection = answer;
        connection.request(&verb.to_uppercase(), &real, "", "").await;
        let head = connection.head().await;
        let is_ours = head.status == 200 || head.header("content-type") == Some("application/json");
        assert!(is_ours, "{verb} {path}: {head:?}");
        let operation = &document["paths"][path][verb];
        assert!(operation["responses"].as_object().unwrap().len() >= 3, "{path}");
        assert_eq!(operation["parameters"][0]["name"], "address");
    }
    let schema = &document["components"]["schemas"]["FailureBody"]["properties"];
    for field in ["body", "failureCode", "failureType", "message"] {
        assert!(schema[field].is_object(), "{field} is not described");
    }
}
