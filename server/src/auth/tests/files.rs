//! Keys in files, what a configuration says of them, and files that change.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::*;
use super::{File, vectors};
use crate::access::{AuthFailure, Authenticator as _};

#[test]
fn files_that_are_no_good_are_named_with_the_reason_and_nothing_of_their_content() {
    let vectors = vectors();
    let private = include_str!("../vectors/rsa-private.pem");
    let jwk = |name: &str, field: &str, value: &str| {
        let mut jwk = vectors.jwk[name].clone();
        jwk[field] = value.into();
        json!({"keys": [jwk]}).to_string()
    };
    let cases = [
        (private.to_owned(), "is a private key"),
        (vectors.public["small"].as_str().unwrap().to_owned(), "less than 2048 bits"),
        (vectors.public["p521"].as_str().unwrap().to_owned(), "curve other than"),
        (vectors.secret.clone(), "neither a public key in PEM nor a JWK set"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(), "no public key"),
        ("{".to_owned(), "is not JSON"),
        ("{\"keys\":[]}".to_owned(), "it is empty"),
        ("{\"keys\":5}".to_owned(), "no array"),
        (jwk("rsa", "use", "enc"), "not for signatures"),
        (jwk("rsa", "alg", "HS256"), "none of the allowed algorithms"),
        (jwk("ed", "x", "AAAA"), "curve other than Ed25519"),
        (jwk("p256", "crv", "P-521"), "kind that is not taken"),
    ];
    for (text, expected) in cases {
        let file = File::new("bad-key", &text);
        let config = AuthConfig { keys: vec![file.key()], ..AuthConfig::default() };
        let error = config.check_files().unwrap_err();
        assert_eq!(error.key, "keys[0].file");
        assert!(error.problem.contains(expected), "{error}");
        let line = text.lines().nth(1).unwrap_or(&text);
        assert!(line.len() < 8 || !error.to_string().contains(line), "{error}");
    }
    let wrong = |secret: &str| {
        let secret = Some(Secret::new(secret));
        AuthConfig { secret, ..AuthConfig::default() }.check_files().unwrap_err().to_string()
    };
    assert!(wrong("short").contains("less than 32 bytes"));
    assert!(wrong(vectors.public["rsa"].as_str().unwrap()).contains("no secret"));
}

#[test]
fn values_that_make_no_sense_are_named() {
    let key = |config: AuthConfig| config.validate().unwrap_err().key;
    let usual = AuthConfig::default;
    assert_eq!(key(AuthConfig { required: true, ..usual() }), "required");
    assert_eq!(key(AuthConfig { algorithms: vec!["none".into()], ..usual() }), "algorithms");
    assert_eq!(key(AuthConfig { algorithms: vec![], ..usual() }), "algorithms");
    assert_eq!(key(AuthConfig { jwks_url: Some("ftp://x".into()), ..usual() }), "jwks_url");
    assert_eq!(key(AuthConfig { jwks_url: Some("https://u:p@x/".into()), ..usual() }), "jwks_url");
    assert_eq!(key(AuthConfig { jwks_timeout_ms: 0, ..usual() }), "jwks_timeout_ms");
    assert_eq!(key(AuthConfig { query: Some("a=b".into()), ..usual() }), "query");
    assert_eq!(key(AuthConfig { cookie: Some(String::new()), ..usual() }), "cookie");
    assert_eq!(key(AuthConfig { keys: vec![KeyFile::default()], ..usual() }), "keys[0].file");
    let secret = Some(Secret::new("hush"));
    let both = AuthConfig { secret, secret_file: Some("s".into()), ..usual() };
    assert!(!format!("{both:?}").contains("hush"));
    assert_eq!(key(both), "secret_file");
    assert!(build(&usual()).unwrap().is_none());
}

#[tokio::test]
async fn a_new_key_file_is_noticed_and_a_bad_one_changes_nothing() {
    let vectors = vectors();
    let token =
        |name: &str| vectors.tokens.iter().find(|vector| vector.key == name).unwrap().token.clone();
    let file = File::new("rotated", vectors.public["ed"].as_str().unwrap());
    let config = AuthConfig { keys: vec![file.key()], ..AuthConfig::default() };
    let (authenticator, mut driver) = build(&config).unwrap().unwrap();
    for nonsense in ["nonsense", ""] {
        file.write(nonsense);
        driver.look_at_files().await;
        assert!(authenticator.authenticate(&token("ed")).await.is_ok());
    }
    std::fs::remove_file(&file.0).unwrap();
    driver.look_at_files().await;
    assert!(authenticator.authenticate(&token("ed")).await.is_ok());
    file.write(vectors.public["p256"].as_str().unwrap());
    driver.look_at_files().await;
    assert!(authenticator.authenticate(&token("p256")).await.is_ok());
    assert_eq!(authenticator.authenticate(&token("ed")).await, Err(AuthFailure::Invalid));
}

#[tokio::test]
async fn the_driver_looks_at_files_until_it_is_stopped() {
    let vectors = vectors();
    let token = vectors.tokens.iter().find(|vector| vector.key == "p256").unwrap();
    let file = File::new("watched", vectors.public["ed"].as_str().unwrap());
    let config = AuthConfig { keys: vec![file.key()], reload_ms: 5, ..AuthConfig::default() };
    let (authenticator, driver) = build(&config).unwrap().unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(driver.run(stop.clone()));
    file.write(vectors.public["p256"].as_str().unwrap());
    let noticed = async {
        while authenticator.authenticate(&token.token).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed).await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
}
