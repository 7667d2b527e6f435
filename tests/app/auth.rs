//! Tokens, from the first request or an envelope to the rules that they open.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use trolleybus::app::Config;
use trolleybus::auth::{AuthConfig, Secret, SigningKey};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus_tests::support::http::{post, request};
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client;

use super::{Server, config};

const SECRET: &str = "a secret of at least thirty-two bytes";

pub(super) fn guarded(change: impl FnOnce(&mut AuthConfig)) -> Config {
    let mut auth = AuthConfig { secret: Some(Secret::new(SECRET)), ..AuthConfig::default() };
    change(&mut auth);
    let inbox = || Permitted::address("user.${sub}.inbox");
    let orders = Permitted::address("orders").requiring("clerk");
    let bridge = BridgeOptions::new()
        .permit_inbound(inbox())
        .permit_inbound(orders)
        .permit_outbound(inbox());
    Config { auth, bridge, ..config() }
}

/// A token of somebody that holds, or has held, until `seconds` from now.
pub(super) fn token(sub: &str, authorities: &[&str], seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let exp = now.checked_add_signed(seconds).unwrap();
    let claims = json!({"sub": sub, "permissions": authorities, "exp": exp});
    let key = SigningKey::from_secret(SECRET.as_bytes()).unwrap();
    key.sign(claims.as_object().unwrap(), None, None).unwrap()
}

async fn send(client: &mut Client, envelope: Value) {
    client.send(&json!([envelope.to_string()]).to_string()).await;
}

/// The envelope in the next frame.
async fn receive(client: &mut Client) -> Value {
    let frame = client.text().await;
    let array = frame.strip_prefix('a').unwrap_or_else(|| panic!("not a message: {frame}"));
    let [text] = serde_json::from_str::<[String; 1]>(array).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn publish(client: &mut Client, address: &str) {
    send(client, json!({"type": "publish", "address": address, "body": 1})).await;
}

/// What a first poll with these headers is answered.
async fn first_poll(server: &Server, session: &str, headers: &str) -> String {
    let path = format!("/eventbus/000/{session}/xhr");
    request(server.addr, "POST", &path, headers, "").await.body
}

#[tokio::test]
async fn the_claims_of_a_token_open_rules() {
    let server = Server::start(guarded(|auth| auth.query = Some("token".into()))).await;
    let path = format!("/eventbus/000/ada/websocket?token={}", token("ada", &[], 60));
    let mut ada = Client::open(server.addr, &path).await;
    assert_eq!(ada.text().await, "o");
    send(&mut ada, json!({"type": "register", "address": "user.ada.inbox"})).await;
    publish(&mut ada, "user.ada.inbox").await;
    assert_eq!(receive(&mut ada).await["type"], "rec");
    publish(&mut ada, "user.bob.inbox").await;
    assert_eq!(receive(&mut ada).await["body"], "access_denied");
    publish(&mut ada, "orders").await;
    assert_eq!(receive(&mut ada).await["body"], "access_denied");
}

#[tokio::test]
async fn a_token_may_come_in_an_envelope() {
    let server = Server::start(guarded(|auth| auth.required = true)).await;
    let mut client = Client::open(server.addr, "/eventbus/000/bob/websocket").await;
    assert_eq!(client.text().await, "o");
    publish(&mut client, "orders").await;
    assert_eq!(receive(&mut client).await["body"], "not_logged_in");
    let bob = token("bob", &["clerk"], 60);
    send(&mut client, json!({"type": "authenticate", "body": bob, "receipt": "r"})).await;
    let receipt = receive(&mut client).await;
    assert_eq!((&receipt["type"], &receipt["address"]), (&json!("rec"), &json!("r")));
    publish(&mut client, "orders").await;
    publish(&mut client, "user.ada.inbox").await;
    assert_eq!(receive(&mut client).await["body"], "access_denied", "of the second alone");
}

#[tokio::test]
async fn one_token_opens_the_same_inbox_at_every_door() {
    let mut config = guarded(|auth| auth.query = Some("token".into()));
    config.gateway.http.path = Some("/api".to_owned());
    config.gateway.tcp.listen = Some(config.server.listen);
    let (server, tcp) = Server::start_with_tcp(config).await;
    let (for_ada, for_bob) = (token("ada", &[], 60), token("bob", &[], 60));
    let mut sockets = Vec::new();
    for (name, token) in [("ada", &for_ada), ("bob", &for_bob)] {
        let path = format!("/eventbus/000/{name}/websocket?token={token}");
        let mut client = Client::open(server.addr, &path).await;
        assert_eq!(client.text().await, "o");
        let register =
            |of: &str| json!({"type": "register", "address": of, "receipt": "registered"});
        send(&mut client, register(&format!("user.{name}.inbox"))).await;
        assert_eq!(receive(&mut client).await["type"], "rec");
        let other = if name == "ada" { "user.bob.inbox" } else { "user.ada.inbox" };
        send(&mut client, register(other)).await;
        assert_eq!(receive(&mut client).await["body"], "access_denied");
        sockets.push(client);
    }

    let mut over_tcp = TcpStream::connect(tcp).await.unwrap();
    let show = json!({"type": "authenticate", "body": for_ada, "receipt": "r"});
    assert_eq!(ask_over_tcp(&mut over_tcp, &show).await["type"], "message");
    let register = |of: &str| json!({"type": "register", "address": of, "receipt": "r"});
    let denied = ask_over_tcp(&mut over_tcp, &register("user.bob.inbox")).await;
    assert_eq!(denied["message"], "access_denied");
    assert_eq!(ask_over_tcp(&mut over_tcp, &register("user.ada.inbox")).await["type"], "message");

    let publish = async |token: &str, address: &str| {
        let headers = format!("Authorization: Bearer {token}\r\n");
        let path = format!("/api/publish/{address}");
        request(server.addr, "POST", &path, &headers, "\"tea\"").await.status()
    };
    assert_eq!(publish(&for_bob, "user.ada.inbox").await, 403);
    assert_eq!(publish(&for_ada, "user.ada.inbox").await, 204);
    assert_eq!(publish(&for_bob, "user.bob.inbox").await, 204);
    for (client, name) in sockets.iter_mut().zip(["ada", "bob"]) {
        // Each gets its own, and first: nothing of the other came before it.
        let message = receive(client).await;
        assert_eq!(message["address"], format!("user.{name}.inbox"));
        assert_eq!(message["body"], "tea");
    }
    let message = read_over_tcp(&mut over_tcp).await;
    assert_eq!((&message["address"], &message["body"]), (&json!("user.ada.inbox"), &json!("tea")));
    // And back: what comes in over TCP reaches the socket of the same user alone.
    let back = json!({"type": "publish", "address": "user.ada.inbox", "body": "biscuit"});
    assert_eq!(ask_over_tcp(&mut over_tcp, &back).await["body"], "biscuit");
    assert_eq!(receive(&mut sockets[0]).await["body"], "biscuit");
    publish_and_hear(&mut sockets[1], "user.bob.inbox").await;
}

/// The next that a socket hears is what it publishes itself.
async fn publish_and_hear(client: &mut Client, address: &str) {
    publish(client, address).await;
    assert_eq!(receive(client).await["body"], 1);
}

async fn ask_over_tcp(stream: &mut TcpStream, envelope: &Value) -> Value {
    let text = envelope.to_string();
    stream.write_u32(u32::try_from(text.len()).unwrap()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    read_over_tcp(stream).await
}

async fn read_over_tcp(stream: &mut TcpStream) -> Value {
    let length = soon(stream.read_u32()).await.unwrap();
    let mut text = vec![0; length.try_into().unwrap()];
    soon(stream.read_exact(&mut text)).await.unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test]
async fn headers_and_cookies_carry_tokens_where_that_is_allowed() {
    let mut config = guarded(|auth| {
        (auth.required, auth.envelope, auth.cookie) = (true, false, Some("id".into()));
    });
    config.sockjs.allowed_origins = vec!["https://example.com".into()];
    let server = Server::start(config).await;
    let good = token("ada", &[], 60);
    let origin = "Origin: https://example.com\r\n";
    let cases = [
        ("a", format!("Authorization: Bearer {good}\r\n")),
        ("b", format!("{origin}Cookie: x=y; id={good}\r\n")),
    ];
    for (session, headers) in cases {
        assert_eq!(first_poll(&server, session, &headers).await, "o\n");
        let ping = r#"["{\"type\":\"ping\"}"]"#;
        let sent = post(server.addr, &format!("/eventbus/000/{session}/xhr_send"), ping).await;
        assert_eq!(sent.status(), 204, "{session}");
    }
    // A link on another page opens sockets too, with the cookie and without an origin.
    let by_link = first_poll(&server, "c", &format!("Cookie: id={good}\r\n")).await;
    let after = first_poll(&server, "c", "").await;
    assert!(format!("{by_link}{after}").contains(r#"c[3003,"Unauthorized"]"#), "{by_link}{after}");
}

#[tokio::test]
async fn bad_tokens_close_the_socket_with_the_reason() {
    let server = Server::start(guarded(|auth| {
        (auth.required, auth.envelope, auth.query) = (true, false, Some("token".into()));
    }))
    .await;
    let cases = [
        (String::new(), r#"c[3003,"Unauthorized"]"#),
        ("?token=a.b.c".to_owned(), r#"c[3003,"Unauthorized"]"#),
        (format!("?token={}x", token("ada", &[], 60)), r#"c[3003,"Unauthorized"]"#),
        (format!("?token={}", token("ada", &[], -60)), r#"c[3002,"Token expired"]"#),
    ];
    for (index, (query, expected)) in cases.into_iter().enumerate() {
        let path = format!("/eventbus/000/bad{index}/websocket{query}");
        let mut client = Client::open(server.addr, &path).await;
        assert_eq!(client.text().await, "o");
        assert_eq!(client.text().await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_socket_is_closed_when_its_token_expires() {
    let server = Server::start(guarded(|auth| {
        (auth.query, auth.leeway_ms) = (Some("token".into()), 0);
    }))
    .await;
    let path = format!("/eventbus/000/soon/websocket?token={}", token("ada", &[], 2));
    let mut client = Client::open(server.addr, &path).await;
    assert_eq!(client.text().await, "o");
    assert_eq!(client.text().await, r#"c[3002,"Token expired"]"#);
}

#[tokio::test]
async fn an_issuer_that_is_silent_does_not_hold_up_the_end() {
    let issuer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", issuer.local_addr().unwrap());
    let mut config = guarded(|auth| {
        (auth.jwks_url, auth.jwks_timeout_ms) = (Some(url), 60_000);
    });
    config.server.drain_timeout_ms = 60_000;
    let server = Server::start(config).await;
    // It has been asked, and gives no answer.
    let _asked = soon(issuer.accept()).await.unwrap();
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.run).await.unwrap().unwrap();
}

#[test]
fn a_cookie_without_a_check_of_the_origin_is_refused() {
    let mut config = guarded(|auth| auth.cookie = Some("id".into()));
    assert_eq!(config.validate().unwrap_err().key, "auth.cookie");
    config.sockjs.allowed_origins = vec!["https://example.com".into()];
    config.validate().unwrap();
}

#[test]
fn a_secret_is_nowhere_to_be_read() {
    let config = guarded(|_| {});
    assert!(!format!("{config:?}").contains(SECRET));
    assert!(!serde_json::to_string(&config).unwrap().contains(SECRET));
}
