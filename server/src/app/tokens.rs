//! Whom the bridge and the gateways ask about tokens, and where they are found.

use std::sync::Arc;
use std::time::Duration;

use crate::access::{Authenticator, Token};
use crate::auth::AuthConfig;
use crate::bridge::Authentication;
use crate::gateway;

/// How the bridge gets to know who is behind a socket.
pub(super) fn authentication(
    config: &AuthConfig,
    authenticator: Arc<dyn Authenticator>,
) -> Authentication {
    let credentials = config.credentials();
    Authentication::new(authenticator)
        .credentials(move |info| {
            let token = credentials.find(|name| info.header(name), info.query());
            token.map(Token::into_owned)
        })
        .required(config.required)
        .envelopes(config.envelope)
        .grace(Duration::from_millis(config.grace_ms))
}

/// The same for the gateways.
pub(super) fn for_gateways(
    config: &AuthConfig,
    authenticator: Arc<dyn Authenticator>,
) -> gateway::Authentication {
    let credentials = config.credentials();
    gateway::Authentication { authenticator, credentials, required: config.required }
}
