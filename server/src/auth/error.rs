//! What can be wrong with a token. Clients hear less than that; the log says it at debug level.

use crate::access::AuthFailure;

/// What can be wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is longer than `auth.max_token_length`")]
    TooLong,
    #[error("it is not three parts of base64url with JSON in the first two")]
    Malformed,
    #[error("its algorithm is unknown, and `none` is no algorithm")]
    Algorithm,
    #[error("it has header fields that must be understood and are not")]
    Critical,
    #[error("no key has its `kid` and allows its algorithm")]
    UnknownKey,
    #[error("its signature is not by a key of ours")]
    Signature,
    #[error("a claim has the wrong type")]
    ClaimType,
    #[error("it lacks a claim of `auth.required_claims`")]
    MissingClaim,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYet,
    #[error("its issuer is not in `auth.issuers`")]
    Issuer,
    #[error("its audience is not in `auth.audiences`")]
    Audience,
    #[error("the keys of `auth.jwks_url` cannot be had")]
    NoKeys,
}

impl From<Flaw> for AuthFailure {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired => Self::Expired,
            Flaw::NoKeys => Self::Unavailable,
            _ => Self::Invalid,
        }
    }
}
