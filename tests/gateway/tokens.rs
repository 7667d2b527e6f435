//! Tokens over TCP and HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use serde_json::json;
use trolleybus::access::limits::Limits;
use trolleybus::access::{
    AuthFailure, Authenticating, Authenticator, Credentials, Permitted, Principal,
};
use trolleybus::gateway::{Authentication, HttpGateway, HttpOptions, TcpOptions};
use trolleybus::{Bus, EventBus as _};
use trolleybus_tests::support::http::{Connection, request};
use trolleybus_tests::support::server::serve;
use trolleybus_tests::support::soon;

use super::client::{Bridge, open_policy, policy};

/// Whoever names himself is believed.
#[derive(Debug)]
struct Believing;

impl Authenticator for Believing {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let soon = SystemTime::now() + Duration::from_millis(200);
            match token {
                "nobody" => Err(AuthFailure::Invalid),
                "past" => Err(AuthFailure::Expired),
                "brief" => Ok(Principal::new("brief").expiring_at(soon)),
                name => Ok(Principal::new(name)),
            }
        })
    }
}

fn inbox_rules() -> [Permitted; 1] {
    [Permitted::address("user.${sub}")]
}

pub(crate) fn believing(required: bool) -> Authentication {
    let credentials = Credentials { query: Some("token".into()), ..Credentials::default() };
    Authentication { authenticator: Arc::new(Believing), credentials, required }
}

async fn bridge() -> Bridge {
    let rules = policy(&inbox_rules(), &inbox_rules());
    Bridge::authenticated(rules, TcpOptions::default(), Some(believing(false))).await
}

#[tokio::test]
async fn where_a_token_is_required_nothing_goes_without() {
    let options = TcpOptions::default();
    let bridge = Bridge::authenticated(open_policy(), options, Some(believing(true))).await;
    let mut client = bridge.client().await;
    for kind in ["send", "publish", "register", "unregister"] {
        client.send(json!({"type": kind, "address": "a"})).await;
        assert_eq!(client.refusal().await, "not_logged_in", "{kind}");
    }
    client.send(json!({"type": "authenticate", "body": "ada"})).await;
    client.register("a").await;
    let known = Some(believing(true));
    let gateway = HttpGateway::new(
        bridge.bus.clone(),
        open_policy(),
        known,
        Limits::none(),
        HttpOptions::default(),
    )
    .unwrap();
    let addr = serve(Router::new().nest_service("/api", gateway.router("/api"))).await;
    assert_eq!(request(addr, "POST", "/api/publish/a", "", "1").await.status(), 401);
    assert_eq!(request(addr, "POST", "/api/publish/a?token=ada", "", "1").await.status(), 204);
}

#[tokio::test]
async fn over_tcp_a_token_counts_for_what_comes_behind_it() {
    let bridge = bridge().await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "register", "address": "user.ada"})).await;
    assert_eq!(client.refusal().await, "access_denied");
    client.send(json!({"type": "authenticate", "body": "ada"})).await;
    client.register("user.ada").await;
    bridge.bus.publish("user.ada", "hello").unwrap();
    assert_eq!(client.next().await["body"], "hello");
    // With another token it is somebody else's connection.
    let receipt = client.ask(json!({"type": "authenticate", "body": "bob", "receipt": "r"})).await;
    assert_eq!((&receipt["type"], &receipt["address"]), (&json!("message"), &json!("r")));
    bridge.bus.publish("user.ada", "for ada").unwrap();
    client.register("user.bob").await;
    bridge.bus.publish("user.bob", "for bob").unwrap();
    assert_eq!(client.next().await["body"], "for bob");
}

#[tokio::test]
async fn over_tcp_bad_tokens_are_refused_and_change_nothing() {
    let bridge = bridge().await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "authenticate", "body": "ada"})).await;
    for (token, word) in [
        (json!("nobody"), "invalid_token"),
        (json!("past"), "token_expired"),
        (json!(7), "invalid_token"),
    ] {
        client.send(json!({"type": "authenticate", "body": token})).await;
        assert_eq!(client.refusal().await, word);
    }
    client.register("user.ada").await;
}

#[tokio::test]
async fn over_tcp_the_end_of_a_token_is_told_and_ends_the_connection() {
    let bridge = bridge().await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "authenticate", "body": "brief"})).await;
    assert_eq!(client.refusal().await, "token_expired");
    client.ended().await;
}

#[tokio::test]
async fn without_anybody_who_reads_tokens_they_are_refused() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "authenticate", "body": "ada"})).await;
    assert_eq!(client.refusal().await, "invalid_token");
}

#[tokio::test]
async fn over_http_a_token_is_a_bearer_token() {
    let bus = Bus::new();
    let _consumer = bus.consumer("user.ada");
    let rules = policy(&inbox_rules(), &inbox_rules());
    let gateway = HttpGateway::new(
        bus,
        rules,
        Some(believing(false)),
        Limits::none(),
        HttpOptions::default(),
    )
    .unwrap();
    let addr = serve(Router::new().nest_service("/api", gateway.router("/api"))).await;
    for (headers, status) in [
        ("", 403),
        ("Authorization: Bearer ada\r\n", 204),
        ("Authorization: Bearer bob\r\n", 403),
        ("Authorization: Bearer nobody\r\n", 401),
        ("Authorization: Basic ada\r\n", 403),
    ] {
        let answer = request(addr, "POST", "/api/send/user.ada", headers, "1").await;
        assert_eq!(answer.status(), status, "{headers}");
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let mut connection = Connection::open(addr).await;
    let headers = "Authorization: Bearer brief\r\n";
    connection.request("GET", "/api/subscribe/user.brief", headers, "").await;
    connection.head().await;
    assert_eq!(connection.chunk().await.as_deref(), Some(": subscribed\n\n"));
    let last = soon(connection.chunk()).await.unwrap();
    assert!(last.starts_with("event: err\ndata: {\"body\":\"token_expired\""), "{last}");
    assert_eq!(connection.chunk().await, None);
}
