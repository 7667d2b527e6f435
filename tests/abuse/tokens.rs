//! Tokens that are none: many of them, huge ones, and such as name keys that nobody knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::routing::get;
use serde_json::json;
use trolleybus::auth::{Secret, SigningKey};

use crate::support::http::request;
use crate::support::server::serve;
use crate::victim::{Victim, config, hear, say};

/// An endpoint with keys, and how often it was asked.
async fn keys() -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = move || {
        counter.fetch_add(1, SeqCst);
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "known", "x": x});
        std::future::ready(json!({"keys": [key]}).to_string())
    };
    (serve(Router::new().route("/keys", get(answer))).await, asked)
}

/// A token of somebody else, signed with a key of this name.
fn forged(kid: &str) -> String {
    let claims = json!({"sub": "admin", "exp": 4_102_444_800_u64});
    let key = SigningKey::from_secret(b"a secret that nobody here has ever heard of").unwrap();
    key.sign(claims.as_object().unwrap(), None, Some(kid)).unwrap()
}

#[tokio::test]
async fn bad_tokens_do_not_become_requests_to_the_issuer() {
    let (issuer, asked) = keys().await;
    let mut config = config();
    config.auth.jwks_url = Some(format!("http://{issuer}/keys"));
    let mut victim = Victim::with(config).await;
    let mut attacker = victim.attacker().await;
    for number in 0..300 {
        let token = forged(&format!("kid{number}"));
        let envelope = json!({"type": "authenticate", "body": token, "receipt": "r"});
        say(&mut attacker, &envelope).await;
        let [answer] = &hear(&mut attacker).await[..] else { panic!("one answer") };
        assert_eq!(answer["body"], "invalid_token", "{answer}");
    }
    let asked = asked.load(SeqCst);
    assert!(asked <= 20, "asked {asked} times");
    victim.serves().await;
}

#[tokio::test]
async fn huge_tokens_and_tokens_that_are_none_are_refused() {
    let mut config = config();
    config.auth.secret = Some(Secret::new("a secret of at least thirty-two bytes"));
    let mut victim = Victim::with(config).await;
    let mut attacker = victim.attacker().await;
    let deep = format!("{}.{}.x", "W1tb".repeat(1000), "W1tb".repeat(1000));
    let tokens = [
        json!("x".repeat(30_000)),
        json!("."),
        json!(".".repeat(20_000)),
        json!(deep),
        json!({"not": "text"}),
        json!(null),
        json!(forged("a\u{0}\r\nb")),
    ];
    for token in tokens {
        let envelope = json!({"type": "authenticate", "body": token, "receipt": "r"});
        say(&mut attacker, &envelope).await;
        let [answer] = &hear(&mut attacker).await[..] else { panic!("one answer") };
        assert_eq!(answer["body"], "invalid_token", "{answer}");
    }
    let header = format!("Authorization: Bearer {}\r\n", "x".repeat(9000));
    let path = "/eventbus/000/token/xhr";
    let answer = request(victim.addr, "POST", path, &header, "").await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "o\n"));
    let answer = request(victim.addr, "POST", path, "", "").await;
    assert!(answer.body.starts_with("c[3003,"), "{}", answer.body);
    victim.serves().await;
}
