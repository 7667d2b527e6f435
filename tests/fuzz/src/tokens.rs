//! Tokens, keys, and where requests carry tokens.

use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::runtime::Builder;
use trolleybus::access::{Authenticator as _, Credentials};
use trolleybus::auth::{AuthConfig, JwtAuthenticator, Secret, edges};

use crate::reader::Reader;

const LONGEST: usize = 2048;

/// Nothing but a token that its issuer signed makes a principal, and no text is one of those: the
/// corpus was signed with another secret.
pub(crate) fn token(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    if edges::is_well_formed(text, LONGEST) {
        assert!(text.len() <= LONGEST);
        assert_eq!(text.split('.').count(), 3, "{text:?}");
    }
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let principal = runtime.block_on(authenticator().authenticate(text));
    assert!(principal.is_err(), "{text:?} is {principal:?}");
}

fn authenticator() -> &'static JwtAuthenticator {
    static ONE: OnceLock<Arc<JwtAuthenticator>> = OnceLock::new();
    ONE.get_or_init(|| {
        let secret = Some(Secret::new("a secret of the fuzz target, known to nobody else"));
        let config = AuthConfig { secret, max_token_length: LONGEST, ..AuthConfig::default() };
        let (authenticator, _) = trolleybus::auth::build(&config).expect("valid").expect("a key");
        authenticator
    })
}

/// PEM, JWK or JWK set, or nothing.
pub(crate) fn keys(data: &[u8]) {
    if let Ok(count) = edges::count_keys(data) {
        assert!(count > 0 && count <= data.len(), "{count} keys");
    }
}

/// Both ways to look for a token find the same one, and a cookie counts only where an origin is
/// told.
pub(crate) fn credentials(data: &[u8]) {
    let mut reader = Reader(data);
    let bearer = reader.below(2) == 0;
    let name = |reader: &mut Reader<'_>| reader.pick(&[None, Some("token"), Some("t")]);
    let (query, cookie) = (name(&mut reader), name(&mut reader));
    let credentials =
        Credentials { bearer, query: query.map(Into::into), cookie: cookie.map(Into::into) };
    let mut headers = HeaderMap::new();
    for name in [header::AUTHORIZATION, header::COOKIE, header::ORIGIN] {
        let text = reader.text(48);
        if reader.below(4) > 0
            && let Ok(value) = HeaderValue::from_str(&text)
        {
            headers.insert(name, value);
        }
    }
    let query = reader.text(48);
    let of_request = credentials.of_request(&headers, Some(&query));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let found = credentials.find(header, Some(&query));
    // A name that is there, with a value that is no text.
    if headers.values().all(|value| value.to_str().is_ok()) {
        assert_eq!(of_request, found);
    }
    let Some(token) = of_request else { return };
    assert!(!token.as_str().is_empty());
    let text = format!("{token:?}");
    assert_eq!(text, "Token(..)", "tokens do not show themselves");
    let by_cookie_alone =
        Credentials { bearer: false, query: None, cookie: credentials.cookie.clone() };
    headers.remove(header::ORIGIN);
    assert_eq!(by_cookie_alone.of_request(&headers, Some(&query)), None);
}
