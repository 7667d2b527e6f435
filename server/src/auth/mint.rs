//! Makes keys, and tokens signed with them, to try things out and for tests.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

use super::key::ALGORITHMS;
use super::signature::hmac_of;

/// A key that signs tokens.
pub struct SigningKey {
    pair: Pair,
    /// Those it can sign with, the usual one first.
    algorithms: &'static [Algorithm],
}

enum Pair {
    Secret(Vec<u8>),
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

/// Kinds of keys that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An Ed25519 key, for `EdDSA`.
    Ed25519,
    /// A key on the curve P-256, for `ES256`.
    Es256,
    /// A secret of 48 bytes as 64 characters, for `HS256`, `HS384` and `HS512`.
    Hs256,
}

/// A key as text: what signs, and what others need to check signatures.
pub struct NewKey {
    /// The private key in PEM, or the secret.
    pub private: String,
    /// The public key in PEM; none for a secret.
    pub public: Option<String>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// What is in front of the key itself in a public key's DER.
const ED25519_PUBLIC: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256_PUBLIC: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

impl KeyKind {
    /// Makes a key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(self) -> Result<NewKey, &'static str> {
        let random = SystemRandom::new();
        let failed = "the system gives no random numbers";
        let (private, public) = match self {
            Self::Hs256 => {
                let mut secret = [0; 48];
                random.fill(&mut secret).map_err(|_| failed)?;
                let private = format!("{}\n", URL_SAFE_NO_PAD.encode(secret));
                return Ok(NewKey { private, public: None });
            }
            Self::Ed25519 => {
                let private = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| failed)?;
                let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|_| failed)?;
                (private, [ED25519_PUBLIC, pair.public_key().as_ref()].concat())
            }
            Self::Es256 => {
                let curve = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let private = EcdsaKeyPair::generate_pkcs8(curve, &random).map_err(|_| failed)?;
                let pair = EcdsaKeyPair::from_pkcs8(curve, private.as_ref(), &random)
                    .map_err(|_| failed)?;
                (private, [P256_PUBLIC, pair.public_key().as_ref()].concat())
            }
        };
        let private = pem("PRIVATE KEY", private.as_ref());
        Ok(NewKey { private, public: Some(pem("PUBLIC KEY", &public)) })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text + &format!("-----END {label}-----\n")
}

impl SigningKey {
    /// A secret; white space at its end does not count.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_secret(secret: &[u8]) -> Result<Self, &'static str> {
        use Algorithm::{HS256, HS384, HS512};
        let secret = secret.trim_ascii_end();
        let algorithms: &[_] = match secret.len() {
            64.. => &[HS256, HS384, HS512],
            48.. => &[HS256, HS384],
            32.. => &[HS256],
            _ => return Err("is a secret of less than 32 bytes"),
        };
        Ok(Self { pair: Pair::Secret(secret.to_vec()), algorithms })
    }

    /// A private key in PEM: RSA, ECDSA on P-256 or P-384, or Ed25519.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        const RSA: &[Algorithm] = &[RS256, RS384, RS512, PS256, PS384, PS512];
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| "is no private key in PEM")?;
        let der = match &key {
            PrivateKeyDer::Pkcs8(der) => der.secret_pkcs8_der(),
            PrivateKeyDer::Pkcs1(der) => {
                let pair = RsaKeyPair::from_der(der.secret_pkcs1_der());
                let pair = pair.map_err(|_| "is no RSA key of 2048 to 8192 bits")?;
                return Ok(Self { pair: Pair::Rsa(Box::new(pair)), algorithms: RSA });
            }
            _ => {
                return Err(
                    "is not in PKCS#8; `openssl pkcs8 -topk8 -nocrypt -in KEY` makes it so",
                );
            }
        };
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self { pair: Pair::Ed(Box::new(pair)), algorithms: &[EdDSA] });
        }
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return Ok(Self { pair: Pair::Rsa(Box::new(pair)), algorithms: RSA });
        }
        let curves: [(_, &'static [Algorithm]); 2] = [
            (&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &[ES256]),
            (&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &[ES384]),
        ];
        for (curve, algorithms) in curves {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve, der, &SystemRandom::new()) {
                return Ok(Self { pair: Pair::Ec(Box::new(pair)), algorithms });
            }
        }
        Err("is no key for RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519")
    }

    /// A token with these claims. `algorithm` is one of the key's, by default the usual one; `id`
    /// tells which key it was.
    ///
    /// # Errors
    /// When the key cannot sign with that algorithm.
    pub fn sign(
        &self,
        claims: &Map<String, Value>,
        algorithm: Option<&str>,
        id: Option<&str>,
    ) -> Result<String, String> {
        let named = |algorithm: &Algorithm| {
            ALGORITHMS.iter().find(|(_, one)| one == algorithm).map_or("", |(name, _)| *name)
        };
        let wanted = algorithm.unwrap_or_else(|| named(&self.algorithms[0]));
        let Some(algorithm) = self.algorithms.iter().find(|one| named(one) == wanted) else {
            let own: Vec<_> = self.algorithms.iter().map(named).collect();
            return Err(format!("cannot sign with {wanted}; it can with {}", own.join(", ")));
        };
        let mut header = json!({ "alg": wanted, "typ": "JWT" });
        if let Some(id) = id {
            header["kid"] = id.into();
        }
        let encode = |json: String| URL_SAFE_NO_PAD.encode(json);
        let claims = Value::Object(claims.clone());
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mark = self.mark(*algorithm, message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(mark)))
    }

    fn mark(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        let random = SystemRandom::new();
        let failed = |_| "cannot sign".to_owned();
        Ok(match &self.pair {
            Pair::Secret(secret) => {
                let hmac = hmac_of(algorithm).ok_or("cannot sign")?;
                ring::hmac::sign(&ring::hmac::Key::new(hmac, secret), message).as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Ec(pair) => pair.sign(&random, message).map_err(failed)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match algorithm {
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut mark = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut mark).map_err(failed)?;
                mark
            }
        })
    }
}
