//! The port to whoever turns tokens into principals.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use trolleybus_protocol::codes::{Close, Refusal};

use super::Principal;

/// What [`Authenticator::authenticate`] returns.
pub type Authenticating<'a> =
    Pin<Box<dyn Future<Output = Result<Principal, AuthFailure>> + Send + 'a>>;

/// Turns tokens into principals. It may have to ask somebody else, so it is awaited, with the
/// messages of that connection waiting in order behind it.
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Who stands behind a token.
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a>;
}

/// Why a token makes no principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// No token of somebody whom we trust.
    #[error("the token cannot be trusted")]
    Invalid,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// The keys or authorities could not be looked up; later it may be well.
    #[error("the token could not be looked up")]
    Unavailable,
}

impl AuthFailure {
    /// What an envelope with such a token is refused as.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Invalid => Refusal::InvalidToken,
            Self::Expired => Refusal::TokenExpired,
            Self::Unavailable => Refusal::AuthError,
        }
    }

    /// How a socket that came with such a token is closed.
    #[must_use]
    pub fn close(self) -> Close {
        match self {
            Self::Invalid => Close::UNAUTHORIZED,
            Self::Expired => Close::TOKEN_EXPIRED,
            Self::Unavailable => Close::INTERNAL,
        }
    }
}
