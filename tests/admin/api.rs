//! The API: who may ask, and what it does.

use std::sync::{Arc, Mutex};

use serde_json::json;
use trolleybus::auth::{Secret, SigningKey};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{BusMessage as _, ConsumerOptions, EventBus as _};
use trolleybus_tests::support::http::{get, request};
use trolleybus_tests::support::soon;

use crate::server::{Server, TOKEN, config};

#[tokio::test]
async fn without_the_token_there_is_nothing_to_see_or_do() {
    let server = Server::start(config()).await;
    for (method, path) in [
        ("GET", "/metrics"),
        ("GET", "/stats"),
        ("GET", "/sockets"),
        ("DELETE", "/sockets/1"),
        ("POST", "/kick?subject=a"),
        ("GET", "/config"),
        ("POST", "/publish/a"),
        ("POST", "/rules/reload"),
        ("GET", "/no/such/page"),
    ] {
        for headers in ["", "Authorization: Bearer an-admin-token-of-some-lengtH\r\n"] {
            let answer = request(server.admin, method, path, headers, "").await;
            assert_eq!(answer.status(), 401, "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    assert_eq!(server.ask("GET", "/no/such/page", "").await.status(), 404);
}

#[tokio::test]
async fn without_a_token_on_loopback_no_web_page_may_ask() {
    let mut config = config();
    config.admin.token = None;
    let server = Server::start(config).await;
    assert_eq!(get(server.admin, "/stats").await.status(), 200);
    let origin = "Origin: http://evil.example\r\n";
    let answer = request(server.admin, "POST", "/publish/a", origin, "1").await;
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn below_admin_of_the_main_listener_the_token_counts_too() {
    let mut config = config();
    config.admin.on_server = true;
    let server = Server::start(config).await;
    assert_eq!(get(server.addr, "/admin/metrics").await.status(), 401);
    let headers = format!("Authorization: Bearer {TOKEN}\r\n");
    let answer = request(server.addr, "GET", "/admin/metrics", &headers, "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(get(server.addr, "/metrics").await.status(), 404);
}

#[tokio::test]
async fn sockets_are_listed_in_pages_and_shown() {
    let server = Server::start(config()).await;
    let _sockets = [server.socket().await, server.socket().await, server.socket().await];
    let first = server.json("GET", "/sockets?limit=2", "").await;
    let listed = first["sockets"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["transport"], "websocket-raw");
    assert!(listed[0]["remote_addr"].as_str().unwrap().starts_with("127.0.0.1:"));
    let rest = server.json("GET", &format!("/sockets?after={}", first["next"]), "").await;
    assert_eq!((rest["sockets"].as_array().unwrap().len(), &rest["next"]), (1, &().into()));
    let id = &listed[0]["id"];
    assert_eq!(server.json("GET", &format!("/sockets/{id}"), "").await["id"], *id);
    assert_eq!(server.ask("GET", "/sockets/999999", "").await.status(), 404);
    assert_eq!(server.ask("GET", "/sockets/x", "").await.status(), 400);
    assert_eq!(server.ask("GET", "/sockets?limit=x", "").await.status(), 400);
}

#[tokio::test]
async fn a_kicked_socket_hears_why() {
    let server = Server::start(config()).await;
    let (mut kicked, mut kept) = (server.socket().await, server.socket().await);
    let sockets = server.json("GET", "/sockets", "").await;
    let path = format!("/sockets/{}", sockets["sockets"][0]["id"]);
    assert_eq!(server.json("DELETE", &path, "").await["kicked"], 1);
    assert_eq!(kicked.closed().await, (3004, "Kicked".to_owned()));
    drop(kicked);
    let gone = async { while server.ask("GET", &path, "").await.status() != 404 {} };
    soon(gone).await;
    kept.send(r#"{"type":"send","address":"nowhere","body":1,"replyAddress":"r"}"#).await;
    assert!(kept.frame().await.is_some());
}

#[tokio::test]
async fn an_operator_publishes_and_sends() {
    let server = Server::start(config()).await;
    let mut news = server.bus.consumer("news/today");
    let published = server.json("POST", "/publish/news/today", r#"{"a":1}"#).await;
    assert_eq!(published["consumers"], 1);
    assert_eq!(soon(news.recv()).await.unwrap().body().as_json(), r#"{"a":1}"#);
    server.json("POST", "/send/news%2Ftoday", "2").await;
    assert_eq!(soon(news.recv()).await.unwrap().body().as_json(), "2");
    assert_eq!(server.ask("POST", "/send/nobody", "2").await.status(), 404);
    assert_eq!(server.ask("POST", "/publish/news", "{").await.status(), 400);
    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    assert_eq!(server.ask("POST", "/publish/news", &long).await.status(), 413);
}

#[tokio::test]
async fn addresses_are_found_by_prefix_in_pages() {
    let server = Server::start(config()).await;
    let _consumers = ["b.2", "a", "b.1", "c", "b.3"].map(|address| server.bus.consumer(address));
    let _second = server.bus.consumer("b.1");
    server.bus.publish("b.1", &1).unwrap();
    let page = server.json("GET", "/addresses?prefix=b.&limit=2", "").await;
    let line = &page["addresses"][0];
    assert_eq!((&line["address"], &line["registrations"]), (&"b.1".into(), &2.into()));
    assert_eq!((&line["messages"], &line["messages_per_second"]), (&1.into(), &().into()));
    assert_eq!(page["next"], "b.2");
    let rest = server.json("GET", "/addresses?prefix=b.&after=b.2", "").await;
    assert_eq!(rest["addresses"][0]["address"], "b.3");
    assert_eq!((rest["addresses"].as_array().unwrap().len(), &rest["next"]), (1, &().into()));
}

#[tokio::test]
async fn the_configuration_is_shown_without_its_secrets() {
    let server = Server::start(config()).await;
    let answer = server.ask("GET", "/config", "").await;
    assert!(!answer.body.contains(TOKEN));
    let config: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(config["admin"]["token"], "[redacted]");
    assert_eq!(config["sockjs"]["heartbeat_ms"], 25_000);
}

#[tokio::test]
async fn registrations_are_listed_by_socket_in_pages() {
    let server = Server::start(config()).await;
    let mut sockets = [server.socket().await, server.socket().await];
    for socket in &mut sockets {
        for address in ["one", "two"] {
            let envelope = format!(r#"{{"type":"register","address":"{address}"}}"#);
            socket.send(&envelope).await;
        }
        socket.send(r#"{"type":"send","address":"nowhere","body":1,"replyAddress":"r"}"#).await;
        assert!(socket.frame().await.is_some());
    }
    let page = server.json("GET", "/registrations?limit=1", "").await;
    let first = page["registrations"].as_array().unwrap();
    assert_eq!(first.len(), 2, "a page holds whole sockets");
    assert_eq!((&first[0]["address"], &first[1]["address"]), (&"one".into(), &"two".into()));
    assert_eq!((&first[0]["is_pattern"], &page["next"]), (&false.into(), &first[0]["socket"]));
    let rest = server.json("GET", &format!("/registrations?after={}", page["next"]), "").await;
    assert_eq!((rest["registrations"].as_array().unwrap().len(), &rest["next"]), (2, &().into()));
    let sockets = server.json("GET", "/sockets", "").await;
    assert_eq!(sockets["sockets"][0]["registrations"], 2);
    assert_eq!(sockets["sockets"][0]["envelopes"], 4);
}

#[tokio::test]
async fn patterns_have_a_list_of_their_own() {
    let server = Server::start(config()).await;
    let _consumer = server.bus.consumer_with("news.*", ConsumerOptions::new().pattern());
    let _other = server.bus.consumer("news.today");
    server.bus.publish("news.today", &1).unwrap();
    let patterns = server.json("GET", "/patterns?prefix=news", "").await;
    assert_eq!(patterns["addresses"].as_array().unwrap().len(), 1);
    assert_eq!(patterns["addresses"][0]["address"], "news.*");
    assert_eq!(patterns["addresses"][0]["messages"], 1);
    let addresses = server.json("GET", "/addresses?prefix=news", "").await;
    assert_eq!(addresses["addresses"].as_array().unwrap().len(), 1);
    assert_eq!(addresses["addresses"][0]["address"], "news.today");
}

#[tokio::test]
async fn rules_are_read_again_while_a_socket_stays() {
    let without = Server::start(config()).await;
    assert_eq!(without.ask("POST", "/rules/reload", "").await.status(), 501);

    let mut config = config();
    config.bridge = BridgeOptions::new();
    let anew = Arc::new(Mutex::new(Err("`bridge.nonsense`".to_owned())));
    let load = Arc::clone(&anew);
    let server = Server::start_with(config.clone(), |app| {
        app.with_reload(move || load.lock().unwrap().clone())
    })
    .await;
    let mut socket = server.socket().await;
    let request = r#"{"type":"send","address":"orders","body":1,"replyAddress":"r"}"#;
    let mut orders = server.bus.consumer("orders");

    let refused = server.ask("POST", "/rules/reload", "").await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body.contains("bridge.nonsense"), "{}", refused.body);
    let shown = server.json("GET", "/config", "").await;
    assert_eq!(shown["bridge"]["inbound_permitted"], json!([]));
    socket.send(request).await;
    assert!(socket.frame().await.unwrap().as_str().contains("access_denied"));

    config.bridge = BridgeOptions::new().permit_inbound(Permitted::address("orders"));
    *anew.lock().unwrap() = Ok(config);
    server.json("POST", "/rules/reload", "").await;
    socket.send(request).await;
    assert_eq!(soon(orders.recv()).await.unwrap().body().as_json(), "1");
    // What is shown is what is in force.
    let rules = server.json("GET", "/config", "").await["bridge"]["inbound_permitted"].take();
    assert_eq!((rules.as_array().unwrap().len(), &rules[0]["address"]), (1, &"orders".into()));
}

#[tokio::test]
async fn all_sockets_of_a_user_are_kicked() {
    const SECRET: &str = "a secret of at least thirty-two bytes";
    let mut config = config();
    config.auth.secret = Some(Secret::new(SECRET));
    let server = Server::start(config).await;
    let key = SigningKey::from_secret(SECRET.as_bytes()).unwrap();
    let mut sockets = Vec::new();
    for user in ["ada", "bob", "ada"] {
        let claims = json!({"sub": user, "exp": 32_503_680_000_u64});
        let token = key.sign(claims.as_object().unwrap(), None, None).unwrap();
        let mut socket = server.socket().await;
        let envelope = json!({"type": "authenticate", "body": token, "receipt": "r"});
        socket.send(&envelope.to_string()).await;
        assert!(socket.frame().await.unwrap().as_str().contains(r#""type":"rec""#));
        sockets.push(socket);
    }
    assert_eq!(server.json("GET", "/sockets", "").await["sockets"][1]["subject"], "bob");
    assert_eq!(server.ask("POST", "/kick", "").await.status(), 400);
    assert_eq!(server.json("POST", "/kick?subject=eve", "").await["kicked"], 0);
    assert_eq!(server.json("POST", "/kick?subject=ada", "").await["kicked"], 2);
    for place in [0, 2] {
        assert_eq!(sockets[place].closed().await, (3004, "Kicked".to_owned()));
    }
    sockets[1].send(r#"{"type":"send","address":"nowhere","body":1,"replyAddress":"r"}"#).await;
    assert!(sockets[1].frame().await.is_some());
}
