//! Tokens and their signatures: which pass, and which fail as what.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::error::Flaw;
use super::super::key::{ALGORITHMS, Key, check};
use super::super::key_file::{self, Origin};
use super::super::token::Unverified;
use super::super::*;
use super::{File, Vector, all_algorithms, authenticator, vectors};
use crate::access::{AuthFailure, Authenticator as _};

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
    let rsa = SigningKey::from_pem(include_bytes!("../vectors/rsa-private.pem")).unwrap();
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        signs_and_checks(&rsa, Some(algorithm), &keys("rsa"));
    }
    let p384 = SigningKey::from_pem(include_bytes!("../vectors/p384-private.pem")).unwrap();
    signs_and_checks(&p384, None, &keys("p384"));
    assert!(p384.sign(claims, Some("ES256"), None).unwrap_err().contains("it can with ES384"));
}
