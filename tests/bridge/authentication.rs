//! Who is behind a socket: tokens at the start, in envelopes, and when they expire.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use trolleybus::access::{AuthFailure, Authenticating, Authenticator, Principal};
use trolleybus::bridge::{Authentication, BridgeOptions, Limits, LimitsConfig, Permitted};
use trolleybus::sockjs::SocketInfo;
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Client, Server};
use crate::support::soon;
use crate::support::websocket::Client as WebSocket;

/// Trusts everybody who gives a name: `ada`, `ada:clerk` with an authority, `ada@200` for 200 ms.
/// A name of `slow…` waits for a permit.
#[derive(Debug)]
struct Names(Semaphore);

impl Authenticator for Names {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            if token.starts_with("slow") {
                self.0.acquire().await.unwrap().forget();
            }
            match token {
                "bad" => return Err(AuthFailure::Invalid),
                "old" => return Err(AuthFailure::Expired),
                "down" => return Err(AuthFailure::Unavailable),
                "broken" => panic!("a mistake of the authenticator"),
                _ => {}
            }
            let (token, expires) = token.split_once('@').unwrap_or((token, ""));
            let (name, authority) = token.split_once(':').unwrap_or((token, ""));
            let mut principal = Principal::new(name);
            if !authority.is_empty() {
                principal = principal.with_authority(authority);
            }
            if let Ok(milliseconds) = expires.parse() {
                let left = Duration::from_millis(milliseconds);
                principal = principal.expiring_at(SystemTime::now() + left);
            }
            Ok(principal)
        })
    }
}

fn names() -> Authentication {
    let of_query = |info: &SocketInfo| info.query()?.strip_prefix("token=").map(str::to_owned);
    Authentication::new(Arc::new(Names(Semaphore::new(0)))).credentials(of_query)
}

/// Everybody has an inbox of their own, and clerks may order.
fn rules() -> BridgeOptions {
    let both = [Permitted::address("open"), Permitted::address("user.${sub}")];
    let orders = Permitted::address("orders").requiring("clerk");
    let mut options = BridgeOptions::new().permit_inbound(orders.clone()).permit_outbound(orders);
    for rule in both {
        options = options.permit_inbound(rule.clone()).permit_outbound(rule);
    }
    options
}

async fn server(authentication: Authentication) -> Server {
    Server::build(rules(), |builder| builder.authentication(authentication)).await
}

async fn limited(limits: &LimitsConfig) -> Server {
    let limits = Limits::new(limits);
    Server::build(rules(), |builder| builder.authentication(names()).limits(limits)).await
}

async fn log_in(client: &mut Client, token: impl Into<Value>) -> Value {
    client.send(json!({"type": "authenticate", "body": token.into(), "receipt": "auth"})).await;
    client.receive().await
}

/// What became of an envelope: nothing, or a word.
async fn outcome(client: &mut Client, operation: &str, address: &str) -> String {
    let envelope =
        json!({"type": operation, "address": address, "body": 1, "replyAddress": "outcome"});
    client.send(envelope).await;
    client.send(json!({"type": "settle", "address": ""})).await;
    let word = client.refusal().await;
    if word == "invalid_type" {
        return "done".to_owned();
    }
    assert_eq!(client.refusal().await, "invalid_type");
    word
}

fn logged_in() -> Value {
    json!({"type": "rec", "address": "auth", "body": null})
}

#[tokio::test]
async fn a_token_of_the_first_request_says_who_it_is() {
    let server = server(names()).await;
    let mut ada = server.client_with("?token=ada").await;
    for (operation, address, expected) in [
        ("publish", "user.ada", "done"),
        ("register", "user.ada", "done"),
        ("publish", "user.bob", "access_denied"),
        ("register", "user.bob", "access_denied"),
        ("publish", "orders", "access_denied"),
    ] {
        assert_eq!(outcome(&mut ada, operation, address).await, expected, "{operation} {address}");
    }
    let mut clerk = server.client_with("?token=bob:clerk").await;
    assert_eq!(outcome(&mut clerk, "publish", "orders").await, "done");
    let mut nobody = server.client().await;
    assert_eq!(outcome(&mut nobody, "publish", "orders").await, "not_logged_in");
    assert_eq!(outcome(&mut nobody, "publish", "user.ada").await, "access_denied");
    assert_eq!(outcome(&mut nobody, "publish", "open").await, "done");
}

#[tokio::test]
async fn a_bad_token_of_the_first_request_closes_the_socket() {
    let server = server(names()).await;
    for (token, frame) in [
        ("bad", "c[3003,\"Unauthorized\"]"),
        ("old", "c[3002,\"Token expired\"]"),
        ("down", "c[1011,\"Internal error\"]"),
        ("broken", "c[1011,\"Internal error\"]"),
        ("ada@0", "c[3002,\"Token expired\"]"),
    ] {
        let mut client = server.client_with(&format!("?token={token}")).await;
        assert_eq!(client.socket.text().await, frame, "{token}");
    }
}

#[tokio::test]
async fn a_required_token_has_to_come_before_anything_else() {
    let server = server(names().required(true)).await;
    let mut client = server.client().await;
    for operation in ["send", "publish", "register", "unregister"] {
        assert_eq!(outcome(&mut client, operation, "open").await, "not_logged_in", "{operation}");
    }
    client.send(json!({"type": "ping"})).await;
    assert_eq!(log_in(&mut client, "bad").await["body"], "invalid_token");
    assert_eq!(outcome(&mut client, "publish", "open").await, "not_logged_in");
    assert_eq!(log_in(&mut client, "ada").await, logged_in());
    assert_eq!(outcome(&mut client, "publish", "user.ada").await, "done");
}

#[tokio::test]
async fn a_socket_without_a_required_token_is_closed_when_its_time_is_up() {
    let server = server(names().required(true).grace(Duration::from_millis(50))).await;
    let mut known = server.client_with("?token=ada").await;
    let mut client = server.client().await;
    assert_eq!(client.socket.text().await, "c[3003,\"Unauthorized\"]");
    let mut raw = WebSocket::open(server.addr, "/eventbus/websocket").await;
    assert_eq!(raw.closed().await, (3003, "Unauthorized".to_owned()));
    assert_eq!(outcome(&mut known, "publish", "open").await, "done");
}

#[tokio::test]
async fn where_envelopes_bring_no_token_it_has_to_come_with_the_first_request() {
    let server = server(names().required(true).envelopes(false)).await;
    let mut client = server.client().await;
    assert_eq!(client.socket.text().await, "c[3003,\"Unauthorized\"]");
    let mut known = server.client_with("?token=ada").await;
    assert_eq!(log_in(&mut known, "bob").await["body"], "access_denied");
    assert_eq!(outcome(&mut known, "publish", "user.ada").await, "done");
}

#[tokio::test]
async fn tokens_in_envelopes_are_refused_by_name_and_leave_the_client_who_it_was() {
    let server = server(names()).await;
    let mut client = server.client_with("?token=ada").await;
    for (token, word) in [
        (json!("bad"), "invalid_token"),
        (json!("old"), "token_expired"),
        (json!("down"), "auth_error"),
        (json!("broken"), "auth_error"),
        (json!("x@0"), "token_expired"),
        (json!(null), "invalid_token"),
        (json!({"token": "ada"}), "invalid_token"),
    ] {
        let refused = log_in(&mut client, token.clone()).await;
        let facts = (&refused["body"], &refused["address"]);
        assert_eq!(facts, (&json!(word), &json!("auth")), "{token}");
    }
    assert_eq!(outcome(&mut client, "publish", "user.ada").await, "done");
}

#[tokio::test]
async fn another_token_makes_the_client_somebody_else_at_once() {
    let server = server(names()).await;
    let mut client = server.client_with("?token=ada").await;
    client.register("user.ada").await;
    client.register("open").await;
    assert_eq!(log_in(&mut client, "bob").await, logged_in());
    assert_eq!(outcome(&mut client, "publish", "user.ada").await, "access_denied");
    client.register("user.bob").await;
    for address in ["user.ada", "user.bob", "open"] {
        server.bus.publish(address, address).unwrap();
    }
    assert_eq!(client.receive().await["body"], "user.bob");
    assert_eq!(client.receive().await["body"], "open");
    assert_eq!(log_in(&mut client, "ada").await, logged_in());
    server.bus.publish("user.ada", "again").unwrap();
    assert_eq!(client.receive().await["body"], "again");
}

#[tokio::test]
async fn an_authority_is_looked_at_for_each_message_on_its_way_out() {
    let server = server(names()).await;
    let mut client = server.client().await;
    client.register("orders").await;
    server.bus.publish("orders", &1).unwrap();
    let error = server.bus.request("orders", &2).await.unwrap_err();
    assert_eq!(error.kind(), trolleybus::ErrorKind::Timeout);
    client.settle().await;
    assert_eq!(log_in(&mut client, "ada:clerk").await, logged_in());
    server.bus.publish("orders", &3).unwrap();
    assert_eq!(client.receive().await["body"], 3);
}

#[tokio::test]
async fn envelopes_behind_a_token_wait_in_order() {
    let names = Arc::new(Names(Semaphore::new(0)));
    let authenticator = Arc::clone(&names) as Arc<dyn Authenticator>;
    let server = server(Authentication::new(authenticator).required(true)).await;
    let mut consumer = server.bus.consumer("user.slow");
    let mut client = server.client().await;
    client.send(json!({"type": "authenticate", "body": "slow"})).await;
    for number in 0..20 {
        client.send(json!({"type": "publish", "address": "user.slow", "body": number})).await;
    }
    names.0.add_permits(1);
    for number in 0..20 {
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
    client.settle().await;
}

#[tokio::test]
async fn a_socket_is_closed_when_its_token_expires() {
    let server = server(names()).await;
    let mut client = server.client_with("?token=ada@100").await;
    assert_eq!(client.socket.text().await, "c[3002,\"Token expired\"]");
    let mut client = server.client().await;
    assert_eq!(log_in(&mut client, "ada@100").await, logged_in());
    assert_eq!(client.socket.text().await, "c[3002,\"Token expired\"]");
}

#[tokio::test]
async fn a_new_token_in_time_keeps_the_socket_and_its_registrations() {
    let server = server(names()).await;
    let mut client = server.client_with("?token=ada@2000").await;
    client.register("user.ada").await;
    assert_eq!(log_in(&mut client, "ada").await, logged_in());
    let mut twin = server.client_with("?token=ada@2000").await;
    assert_eq!(twin.socket.text().await, "c[3002,\"Token expired\"]");
    server.bus.publish("user.ada", &1).unwrap();
    assert_eq!(client.receive().await["body"], 1);
}

#[tokio::test]
async fn without_an_authenticator_no_token_is_good() {
    let server = Server::open().await;
    let mut client = server.client().await;
    assert_eq!(log_in(&mut client, "ada").await["body"], "invalid_token");
}

#[tokio::test]
async fn sockets_of_one_user_are_bounded_wherever_the_token_comes_from() {
    let mut limits = LimitsConfig::none();
    limits.user.connections = 1;
    let server = limited(&limits).await;
    let full = r#"c[3006,"Too many connections"]"#;
    let mut first = server.client_with("?token=ada").await;
    first.settle().await;
    let mut second = server.client_with("?token=ada").await;
    assert_eq!(second.socket.text().await, full);
    let mut third = server.client().await;
    third.send(json!({"type": "authenticate", "body": "ada"})).await;
    assert_eq!(third.socket.text().await, full);
    // The same user again takes no further place, and another one leaves it.
    assert_eq!(log_in(&mut first, "ada").await, logged_in());
    assert_eq!(log_in(&mut first, "bob").await, logged_in());
    server.client_with("?token=ada").await.settle().await;
}

#[tokio::test]
async fn sockets_of_one_user_share_a_rate() {
    let mut limits = LimitsConfig::none();
    // Enough for two of the envelopes below, and for the third in a minute.
    limits.user.bytes_per_second = 1;
    limits.user.byte_burst = 100;
    let server = limited(&limits).await;
    let mut consumer = server.bus.consumer("open");
    let mut sockets =
        [server.client_with("?token=ada").await, server.client_with("?token=ada").await];
    for (number, socket) in sockets.iter_mut().enumerate() {
        socket.send(json!({"type": "publish", "address": "open", "body": number})).await;
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
    for socket in &mut sockets {
        socket.send(json!({"type": "publish", "address": "open", "body": 9})).await;
        let refused = socket.receive().await;
        let told = (&refused["body"], &refused["failureCode"]);
        assert_eq!(told, (&json!("rate_limited"), &json!(122)));
    }
    let mut other = server.client_with("?token=bob").await;
    other.send(json!({"type": "publish", "address": "open", "body": 7})).await;
    assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), "7");
}
