//! Tokens that others made, and what must not pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::Flaw;
use super::key::{ALGORITHMS, Key, check};
use super::key_file::{self, Origin};
use super::token::Unverified;
use super::*;
use crate::access::{AuthFailure, Authenticator as _, Principal};

/// What another implementation has made, see the note in the file.
#[derive(Deserialize)]
struct Vectors {
    secret: String,
    public: Map<String, Value>,
    jwk: Map<String, Value>,
    tokens: Vec<Vector>,
    confused: Vec<String>,
    none: String,
}

#[derive(Deserialize)]
struct Vector {
    algorithm: String,
    key: String,
    token: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/pyjwt.json")).unwrap()
}

fn all_algorithms() -> Vec<jsonwebtoken::Algorithm> {
    ALGORITHMS.map(|(_, algorithm)| algorithm).into()
}

/// A file that is gone when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("trolleybus-{}-{name}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }

    fn key(&self) -> KeyFile {
        KeyFile { file: self.0.clone(), ..KeyFile::default() }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn authenticator(config: &AuthConfig) -> Arc<JwtAuthenticator> {
    build(config).unwrap().unwrap().0
}

/// Signs `claims` with a secret, holding until 2100 unless they say otherwise.
fn mint(secret: &str, claims: &Value) -> String {
    let mut all = json!({"sub": "ada", "exp": 4_102_444_800_u64});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let key = SigningKey::from_secret(secret.as_bytes()).unwrap();
    key.sign(all.as_object().unwrap(), None, None).unwrap()
}

#[tokio::test]
async fn tokens_of_another_implementation_pass_with_keys_in_every_form() {
    let vectors = vectors();
    for Vector { algorithm, key, token } in &vectors.tokens {
        let mut config =
            AuthConfig { algorithms: vec![algorithm.clone()], ..AuthConfig::default() };
        let mut configs = Vec::new();
        let mut files = Vec::new();
        if key == "secret" {
            config.secret = Some(Secret::new(&vectors.secret));
            configs.push(config);
        } else {
            let pem = vectors.public[key].as_str().unwrap().to_owned();
            let jwk = vectors.jwk[key].clone();
            for (form, text) in [
                ("pem", pem),
                ("jwk", jwk.to_string()),
                ("set", json!({"keys": [jwk]}).to_string()),
            ] {
                let file = File::new(&format!("{algorithm}.{form}"), &text);
                configs.push(AuthConfig { keys: vec![file.key()], ..config.clone() });
                files.push(file);
            }
        }
        for config in configs {
            let principal = authenticator(&config).authenticate(token).await;
            let principal = principal.unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            assert_eq!(principal.subject(), Some("ada"));
            assert!(principal.holds("clerk") && principal.expires_at().is_some());
        }
    }
    assert_eq!(vectors.tokens.len(), ALGORITHMS.len());
}

#[test]
fn vectors_of_the_standards_are_signed_by_their_keys() {
    let jwk = |jwk: Value| {
        let text = jwk.to_string();
        key_file::key_set(text.as_bytes(), None, &all_algorithms(), Origin::File).unwrap()
    };
    // RFC 7515, A.1 and A.3; RFC 8037, A.4.
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let hmac = json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    let ecdsa = json!({"kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let ed =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let vectors = [
        (hmac, format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
        (ecdsa, format!("eyJhbGciOiJFUzI1NiJ9.{claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")),
        (ed, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".to_owned()),
    ];
    for (key, token) in vectors {
        let keys = jwk(key);
        assert_eq!(check(&keys, &Unverified::parse(&token, 1000).unwrap()), Ok(()), "{token}");
        let (message, mark) = token.rsplit_once('.').unwrap();
        let forged = format!("{message}.B{}", &mark[1..]);
        let forged = Unverified::parse(&forged, 1000).unwrap();
        assert_eq!(check(&keys, &forged), Err(Flaw::Signature));
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret_and_none_is_no_algorithm() {
    let vectors = vectors();
    let files: Vec<_> = ["rsa", "p256", "ed"]
        .map(|name| File::new(&format!("confused-{name}"), vectors.public[name].as_str().unwrap()))
        .into();
    let keys = files.iter().map(File::key).collect();
    let authenticator = authenticator(&AuthConfig { keys, ..AuthConfig::default() });
    for token in vectors.confused.iter().chain([&vectors.none]) {
        assert_eq!(authenticator.authenticate(token).await, Err(AuthFailure::Invalid), "{token}");
    }
    // Nor does a key of one family pass for one of another.
    for Vector { algorithm, key, token } in &vectors.tokens {
        let outcome = authenticator.authenticate(token).await;
        assert_eq!(outcome.is_ok(), key != "secret" && key != "p384", "{algorithm}");
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_does_not_pass() {
    let vectors = vectors();
    let file = File::new("restricted", vectors.public["rsa"].as_str().unwrap());
    let key = KeyFile { algorithms: vec!["PS256".into(), "ES256".into()], ..file.key() };
    let restricted = authenticator(&AuthConfig { keys: vec![key], ..AuthConfig::default() });
    for Vector { algorithm, key, token } in vectors.tokens.iter().filter(|v| v.key == "rsa") {
        let outcome = restricted.authenticate(token).await;
        assert_eq!(outcome.is_ok(), algorithm == "PS256", "{algorithm} {key}");
    }
    let mut jwk = vectors.jwk["rsa"].clone();
    jwk["alg"] = "RS512".into();
    let text = jwk.to_string();
    let keys = key_file::key_set(text.as_bytes(), None, &all_algorithms(), Origin::File).unwrap();
    for Vector { algorithm, token, .. } in vectors.tokens.iter().filter(|v| v.key == "rsa") {
        let outcome = check(&keys, &Unverified::parse(token, 9999).unwrap());
        assert_eq!(outcome.is_ok(), algorithm == "RS512", "{algorithm}");
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let secret = vectors().secret;
    let config = AuthConfig { secret: Some(Secret::new(&secret)), ..AuthConfig::default() };
    let authenticator = authenticator(&config);
    let outcome = |token: String| {
        let authenticator = Arc::clone(&authenticator);
        async move { authenticator.authenticate(&token).await.map(|_| ()) }
    };
    assert_eq!(outcome(mint(&secret, &json!({}))).await, Ok(()));
    assert_eq!(outcome(mint(&secret, &json!({"exp": 1000}))).await, Err(AuthFailure::Expired));
    for claims in [json!({"nbf": 4_102_444_000_u64}), json!({"aud": "x"}), json!({"exp": null})] {
        assert_eq!(outcome(mint(&secret, &claims)).await, Err(AuthFailure::Invalid), "{claims}");
    }
    let other = mint(&"x".repeat(64), &json!({"exp": 1000}));
    assert_eq!(outcome(other).await, Err(AuthFailure::Invalid), "a forged one is not just expired");
    let long = mint(&secret, &json!({"x": "x".repeat(8192)}));
    assert_eq!(outcome(long).await, Err(AuthFailure::Invalid));
    for token in ["", "a", "a.b.c", "eyJhbGciOiJIUzI1NiJ9..", "\u{0}"] {
        assert_eq!(outcome(token.to_owned()).await, Err(AuthFailure::Invalid), "{token}");
    }
}

#[test]
fn own_keys_sign_what_own_keys_check() {
    let claims = json!({"sub": "ada"});
    let claims = claims.as_object().unwrap();
    let vectors = vectors();
    let signs_and_checks = |signing: &SigningKey, algorithm: Option<&str>, keys: &[Key]| {
        let token = signing.sign(claims, algorithm, Some("k")).unwrap();
        let token = Unverified::parse(&token, 9999).unwrap();
        assert_eq!(check(keys, &token), Ok(()), "{algorithm:?}");
    };
    for kind in [KeyKind::Ed25519, KeyKind::Es256] {
        let NewKey { private, public } = kind.generate().unwrap();
        let public = public.unwrap();
        let keys = key_file::keys(public.as_bytes(), None, &all_algorithms()).unwrap();
        signs_and_checks(&SigningKey::from_pem(private.as_bytes()).unwrap(), None, &keys);
    }
    let secret = KeyKind::Hs256.generate().unwrap().private;
    let key = key_file::secret(secret.as_bytes(), None, &all_algorithms()).unwrap();
    let signing = SigningKey::from_secret(secret.as_bytes()).unwrap();
    signs_and_checks(&signing, None, &[key]);
    let pem = |name: &str| vectors.public[name].as_str().unwrap().to_owned();
    let keys = |name: &str| key_file::keys(pem(name).as_bytes(), None, &all_algorithms()).unwrap();
    let rsa = SigningKey::from_pem(include_bytes!("vectors/rsa-private.pem")).unwrap();
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        signs_and_checks(&rsa, Some(algorithm), &keys("rsa"));
    }
    let p384 = SigningKey::from_pem(include_bytes!("vectors/p384-private.pem")).unwrap();
    signs_and_checks(&p384, None, &keys("p384"));
    assert!(p384.sign(claims, Some("ES256"), None).unwrap_err().contains("it can with ES384"));
}

#[test]
fn files_that_are_no_good_are_named_with_the_reason_and_nothing_of_their_content() {
    let vectors = vectors();
    let private = include_str!("vectors/rsa-private.pem");
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
