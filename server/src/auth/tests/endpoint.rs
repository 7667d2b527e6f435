//! Keys that are fetched from a URL.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::*;
use super::vectors;
use crate::access::{AuthFailure, Authenticator as _, Principal};

/// An endpoint of keys that answers one request after the other with what the test says.
struct Issuer {
    url: String,
    answers: mpsc::UnboundedSender<String>,
    asked: mpsc::UnboundedReceiver<()>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys?a=b", listener.local_addr().unwrap());
        let (answers, mut next) = mpsc::unbounded_channel::<String>();
        let (asking, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                assert!(head.starts_with(b"GET /keys?a=b HTTP/1.1\r\nhost: 127.0.0.1:"));
                asking.send(()).ok();
                let Some(answer) = next.recv().await else { return };
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        Self { url, answers, asked }
    }

    fn answers(&self, status: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        self.answers.send(head + body).unwrap();
    }

    fn answers_keys(&self, names: &[&str]) {
        let keys: Vec<_> = names.iter().map(|name| vectors().jwk[*name].clone()).collect();
        self.answers("200 OK", &json!({ "keys": keys }).to_string());
    }

    async fn is_asked(&mut self) {
        tokio::time::timeout(Duration::from_secs(10), self.asked.recv()).await.unwrap().unwrap();
    }

    fn config(&self) -> AuthConfig {
        let jwks_url = Some(self.url.clone());
        AuthConfig { jwks_url, jwks_timeout_ms: 10_000, ..AuthConfig::default() }
    }
}

fn start(config: &AuthConfig) -> Arc<JwtAuthenticator> {
    let (authenticator, driver) = build(config).unwrap().unwrap();
    tokio::spawn(driver.run(CancellationToken::new()));
    authenticator
}

async fn outcome(authenticator: &JwtAuthenticator, key: &str) -> Result<Principal, AuthFailure> {
    let vectors = vectors();
    let vector = vectors.tokens.iter().find(|vector| vector.key == key).unwrap();
    authenticator.authenticate(&vector.token).await
}

#[tokio::test]
async fn an_unknown_key_is_fetched_once_and_not_again_for_a_while() {
    let mut issuer = Issuer::start().await;
    let authenticator = start(&issuer.config());
    issuer.answers_keys(&["ed"]);
    assert!(outcome(&authenticator, "ed").await.is_ok(), "the first fetch was waited for");
    issuer.is_asked().await;
    assert!(outcome(&authenticator, "ed").await.is_ok());
    assert!(issuer.asked.try_recv().is_err(), "a known key needs no fetch");
    // Rotation: many at once make one request.
    issuer.answers_keys(&["p256", "rsa"]);
    let both = tokio::join!(outcome(&authenticator, "p256"), outcome(&authenticator, "rsa"));
    assert!(both.0.is_ok() && both.1.is_ok());
    issuer.is_asked().await;
    assert_eq!(outcome(&authenticator, "ed").await, Err(AuthFailure::Invalid));
    assert_eq!(outcome(&authenticator, "p384").await, Err(AuthFailure::Invalid));
    assert!(issuer.asked.try_recv().is_err(), "the second unknown key came too soon");
}

#[tokio::test]
async fn keys_stay_while_the_endpoint_gives_nothing_of_use() {
    let answers: [(&str, String); 5] = [
        ("503 Service Unavailable", String::new()),
        ("302 Found", String::new()),
        ("200 OK", "<html>".to_owned()),
        ("200 OK", json!({"keys": [{"kty": "oct", "k": "A".repeat(64)}]}).to_string()),
        ("200 OK", format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300_000))),
    ];
    for (status, body) in answers {
        let issuer = Issuer::start().await;
        let authenticator = start(&issuer.config());
        issuer.answers_keys(&["ed"]);
        assert!(outcome(&authenticator, "ed").await.is_ok());
        issuer.answers(status, &body);
        assert_eq!(outcome(&authenticator, "p256").await, Err(AuthFailure::Unavailable), "{body}");
        assert!(outcome(&authenticator, "ed").await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_down_or_silent_makes_tokens_unavailable_and_not_invalid() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let jwks_url = Some(url);
    let down = start(&AuthConfig { jwks_url, ..AuthConfig::default() });
    assert_eq!(outcome(&down, "ed").await, Err(AuthFailure::Unavailable));

    let silent = Issuer::start().await;
    let config = AuthConfig { jwks_timeout_ms: 50, ..silent.config() };
    assert_eq!(outcome(&start(&config), "ed").await, Err(AuthFailure::Unavailable));
}

#[tokio::test]
async fn keys_are_tried_again_after_a_failed_fetch() {
    let mut issuer = Issuer::start().await;
    let authenticator = start(&issuer.config());
    issuer.answers("500 No", "");
    issuer.is_asked().await;
    issuer.answers_keys(&["ed"]);
    issuer.is_asked().await;
    let there = async {
        while outcome(&authenticator, "ed").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), there).await.unwrap();
}
