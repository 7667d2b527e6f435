//! Signatures, by `ring`, the library that does TLS's cryptography as well.

use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::{hmac, signature};

/// Whether `mark` is the signature of `message` by this key and algorithm. The key must be of the
/// algorithm's family; else it is not.
pub(super) fn verify(algorithm: Algorithm, key: &DecodingKey, message: &[u8], mark: &[u8]) -> bool {
    if key.family() != algorithm.family() {
        return false;
    }
    if let Some(hmac) = hmac_of(algorithm) {
        let DecodingKeyKind::SecretOrDer(secret) = key.kind() else { return false };
        return hmac::verify(&hmac::Key::new(hmac, secret), message, mark).is_ok();
    }
    match (key.kind(), rsa_of(algorithm)) {
        (DecodingKeyKind::RsaModulusExponent { n, e }, Some(rsa)) => {
            let (n, e) = (without_zeros(n), without_zeros(e));
            signature::RsaPublicKeyComponents { n, e }.verify(rsa, message, mark).is_ok()
        }
        (DecodingKeyKind::SecretOrDer(der), Some(rsa)) => {
            signature::UnparsedPublicKey::new(rsa, der).verify(message, mark).is_ok()
        }
        (DecodingKeyKind::SecretOrDer(point), None) => curve_of(algorithm).is_some_and(|curve| {
            signature::UnparsedPublicKey::new(curve, point).verify(message, mark).is_ok()
        }),
        (DecodingKeyKind::RsaModulusExponent { .. }, None) => false,
    }
}

pub(super) fn hmac_of(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    Some(match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => return None,
    })
}

fn rsa_of(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve_of(algorithm: Algorithm) -> Option<&'static dyn signature::VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => return None,
    })
}

/// Some endpoints write a zero before the number, which `ring` does not take.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
