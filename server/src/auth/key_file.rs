//! Keys from PEM and JWK texts.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::key::Key;

/// Most keys of one set.
const KEYS_MAX: usize = 64;

/// Who vouches for a set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file of the operator's.
    File,
    /// An endpoint that anybody can read; what it gives is no secret.
    Endpoint,
}

/// The keys in a file: one public key in PEM, one JWK, or a set of them. `id` names a key that does
/// not name itself. An error says what is wrong, and nothing of what is in it.
pub(super) fn keys(
    text: &[u8],
    id: Option<&str>,
    wanted: &[Algorithm],
) -> Result<Vec<Key>, String> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Err("is neither a public key in PEM nor a JWK set".to_owned());
    };
    let text = text.trim();
    if text.starts_with('{') {
        return key_set(text.as_bytes(), id, wanted, Origin::File);
    }
    if text.starts_with("-----BEGIN ") {
        let key = public_key(text)
            .and_then(|material| Key::new(id.map(str::to_owned), material, wanted))?;
        return Ok(vec![key]);
    }
    Err("is neither a public key in PEM nor a JWK set".to_owned())
}

/// The keys of a JWK or a JWK set. Keys in a set that are not for us are passed over, as long as
/// one is left.
pub(super) fn key_set(
    text: &[u8],
    id: Option<&str>,
    wanted: &[Algorithm],
    origin: Origin,
) -> Result<Vec<Key>, String> {
    let document: Value =
        serde_json::from_slice(text).map_err(|_| "is not JSON, as a JWK set is".to_owned())?;
    let Some(set) = document.get("keys") else {
        return Ok(vec![key(document, id, wanted, origin)?]);
    };
    let set = set.as_array().ok_or("has a field `keys` that is no array")?;
    if set.len() > KEYS_MAX {
        return Err(format!("has {} keys; at most {KEYS_MAX} are taken", set.len()));
    }
    let read = set.iter().map(|jwk| key(jwk.clone(), id, wanted, origin));
    let (keys, refused): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let keys: Vec<_> = keys.into_iter().filter_map(Result::ok).collect();
    if keys.is_empty() {
        let why = refused.into_iter().find_map(Result::err).unwrap_or("it is empty");
        return Err(format!("has no key that can be used; the first {why}"));
    }
    Ok(keys)
}

/// One JWK.
fn key(
    jwk: Value,
    id: Option<&str>,
    wanted: &[Algorithm],
    origin: Origin,
) -> Result<Key, &'static str> {
    let jwk: Jwk = serde_json::from_value(jwk).map_err(|_| "is no JWK that we know")?;
    if !is_for_signatures(&jwk) {
        return Err("is not for signatures");
    }
    let fits = match &jwk.algorithm {
        AlgorithmParameters::OctetKey(_) => origin == Origin::File,
        AlgorithmParameters::EllipticCurve(key) => {
            matches!(key.curve, EllipticCurve::P256 | EllipticCurve::P384)
        }
        AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519,
        AlgorithmParameters::RSA(_) => true,
        _ => false,
    };
    if !fits {
        return Err("is of a kind that is not taken here");
    }
    let material = DecodingKey::from_jwk(&jwk).map_err(|_| "is no JWK that we know")?;
    let own_id = jwk.common.key_id.as_deref().or(id).map(str::to_owned);
    let key = Key::new(own_id, material, wanted)?;
    match jwk.common.key_algorithm {
        None => Ok(key),
        // A key that names its algorithm is for that one only.
        Some(named) => {
            let named =
                named.to_string().parse().map_err(|_| "is for an algorithm unknown here")?;
            key.restricted_to(&[named])
        }
    }
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    let is_used = jwk.common.public_key_use.as_ref();
    let operations = jwk.common.key_operations.as_ref();
    is_used.is_none_or(|used| *used == PublicKeyUse::Signature)
        && operations.is_none_or(|all| all.contains(&KeyOperations::Verify))
}

/// A public key in PEM.
fn public_key(text: &str) -> Result<DecodingKey, &'static str> {
    if text.matches("-----BEGIN ").count() > 1 {
        return Err("has several PEM blocks; give each key a file of its own");
    }
    if text.contains("PRIVATE KEY-----") {
        return Err("is a private key; \
                    `openssl pkey -in KEY -pubout` makes the public one that is wanted here");
    }
    if text.contains("CERTIFICATE-----") {
        return Err("is a certificate; \
                    `openssl x509 -in CERTIFICATE -pubkey -noout` makes the key that is wanted here");
    }
    let text = text.as_bytes();
    DecodingKey::from_rsa_pem(text)
        .or_else(|_| DecodingKey::from_ec_pem(text))
        .or_else(|_| DecodingKey::from_ed_pem(text))
        .map_err(|_| "is no public key for RSA, ECDSA or Ed25519 in PEM")
}

/// A shared secret. A public key that is taken for one lets anybody sign.
pub(super) fn secret(
    bytes: &[u8],
    id: Option<&str>,
    wanted: &[Algorithm],
) -> Result<Key, &'static str> {
    let bytes = bytes.trim_ascii_end();
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Err("is a key in PEM and no secret; it belongs into `auth.keys`");
    }
    Key::new(id.map(str::to_owned), DecodingKey::from_secret(bytes), wanted)
}
