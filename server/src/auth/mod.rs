//! Turns a token into a principal: JSON Web Tokens, and the keys to check them with.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`AuthConfig`], what a configuration file says |
//! | `secret` | [`Secret`], text that does not show itself |
//! | `error` | what can be wrong with a token, for logs |
//! | `token` | a token taken apart, before anything in it is trusted |
//! | `signature` | signatures, by `ring` |
//! | `key` | one key, bound to its algorithms; all of them |
//! | `key_file` | keys from PEM and JWK texts |
//! | `claims` | what the claims of a token must say, and what they make |
//! | `handle` | [`JwtAuthenticator`], what others hold |
//! | `driver` | [`KeyDriver`], the task that keeps the keys fresh |
//! | `fetch` | one bounded HTTP request for keys |
//! | `authorities` | [`WithAuthorities`], authorities from elsewhere |
//! | `mint` | [`SigningKey`], makes tokens to try things out |
//!
//! ```text
//! key files, secret, JWKS URL --> KeyDriver --> keys
//! token --> taken apart --> key with its algorithm --> signature --> claims --> Principal
//! ```
//!
//! A key is bound to its algorithms before any token is looked at, and a token can only name one
//! of them: a public key is never taken for a secret, and `none` is no algorithm.

mod authorities;
mod claims;
mod config;
mod driver;
mod error;
mod fetch;
mod handle;
mod key;
mod key_file;
mod mint;
mod secret;
mod signature;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use crate::access::ConfigError;

pub use authorities::WithAuthorities;
pub use config::{AuthConfig, KeyFile};
pub use driver::KeyDriver;
pub use handle::JwtAuthenticator;
pub use mint::{KeyKind, NewKey, SigningKey};
pub use secret::Secret;

/// The authenticator that a configuration asks for, and the task that keeps its keys fresh: none
/// when no key is configured. Until the driver runs, keys from a URL are not there.
///
/// # Errors
/// The first value that makes no sense, or key file that cannot be used.
pub fn build(
    config: &AuthConfig,
) -> Result<Option<(Arc<JwtAuthenticator>, KeyDriver)>, ConfigError> {
    config.validate()?;
    if !config.is_enabled() {
        return Ok(None);
    }
    let driver = KeyDriver::new(config)?;
    Ok(Some((driver.authenticator(), driver)))
}
