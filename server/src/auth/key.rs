//! One key, bound to its algorithms; and all of them.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

use super::error::Flaw;
use super::signature;
use super::token::Unverified;

/// Bytes of the modulus of the shortest RSA key that is taken: 2048 bits.
const RSA_BYTES_MIN: usize = 256;

/// A key to check signatures with. Its algorithms follow from what it is.
#[derive(Debug, Clone)]
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    material: DecodingKey,
}

/// The algorithms that may be used, by their names in tokens.
pub(super) const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

impl Key {
    /// Binds a key to those of the wanted algorithms that it is made for. An error says what is
    /// wrong with it, and nothing of what it is.
    pub(super) fn new(
        id: Option<String>,
        material: DecodingKey,
        wanted: &[Algorithm],
    ) -> Result<Self, &'static str> {
        let made_for = algorithms_of(&material)?;
        let algorithms: Vec<_> =
            made_for.iter().copied().filter(|algorithm| wanted.contains(algorithm)).collect();
        if algorithms.is_empty() {
            return Err("fits none of the allowed algorithms");
        }
        Ok(Self { id, algorithms, material })
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The same key for fewer algorithms.
    pub(super) fn restricted_to(mut self, wanted: &[Algorithm]) -> Result<Self, &'static str> {
        self.algorithms.retain(|algorithm| wanted.contains(algorithm));
        if self.algorithms.is_empty() {
            return Err("fits none of the allowed algorithms");
        }
        Ok(self)
    }

    /// Whether it may be the one: a token that names a key is not tried on those of other names.
    fn may_have_signed(&self, token: &Unverified<'_>) -> bool {
        let is_named = match (&token.key_id, &self.id) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        is_named && self.algorithms.contains(&token.algorithm)
    }

    fn has_signed(&self, token: &Unverified<'_>) -> bool {
        signature::verify(token.algorithm, &self.material, token.message, &token.signature)
    }
}

/// What a key is made for.
fn algorithms_of(material: &DecodingKey) -> Result<&'static [Algorithm], &'static str> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512};
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    let length = match material.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.len(),
    };
    match (material.family(), length) {
        // A secret must be as long as the hash (RFC 7518, 3.2).
        (AlgorithmFamily::Hmac, 64..) => Ok(&[HS256, HS384, HS512]),
        (AlgorithmFamily::Hmac, 48..) => Ok(&[HS256, HS384]),
        (AlgorithmFamily::Hmac, 32..) => Ok(&[HS256]),
        (AlgorithmFamily::Hmac, _) => Err("is a secret of less than 32 bytes"),
        (AlgorithmFamily::Rsa, RSA_BYTES_MIN..) => Ok(&[RS256, RS384, RS512, PS256, PS384, PS512]),
        (AlgorithmFamily::Rsa, _) => Err("is an RSA key of less than 2048 bits"),
        (AlgorithmFamily::Ec, 65) => Ok(&[ES256]),
        (AlgorithmFamily::Ec, 97) => Ok(&[ES384]),
        (AlgorithmFamily::Ec, _) => Err("is on a curve other than P-256 and P-384"),
        (AlgorithmFamily::Ed, 32) => Ok(&[EdDSA]),
        (AlgorithmFamily::Ed, _) => Err("is on a curve other than Ed25519"),
    }
}

/// Whether one of these keys has signed a token.
pub(super) fn check(keys: &[Key], token: &Unverified<'_>) -> Result<(), Flaw> {
    let mut candidates = keys.iter().filter(|key| key.may_have_signed(token)).peekable();
    if candidates.peek().is_none() {
        return Err(Flaw::UnknownKey);
    }
    if candidates.any(|key| key.has_signed(token)) { Ok(()) } else { Err(Flaw::Signature) }
}
