//! Who may ask: whoever has the token, or without one whoever is on this machine; web pages never.

use std::net::IpAddr;

use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::Secret;
use super::answer::Refused;

/// Checks each request before anything else looks at it.
#[derive(Debug)]
pub(super) struct Guard {
    token: Option<Secret>,
}

impl Guard {
    pub(super) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    /// With a token, the request must carry it. Without one it must at least be no web page's: a
    /// browser on this machine would ask for any page that it shows.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        match &self.token {
            Some(token) if carries(headers, token) => Ok(()),
            Some(_) => Err(Refused::Unauthorized),
            None if headers.contains_key(header::ORIGIN) || !is_for_machine(headers) => {
                Err(Refused::WebPage)
            }
            None => Ok(()),
        }
    }
}

fn carries(headers: &HeaderMap, token: &Secret) -> bool {
    let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let Some((scheme, given)) = value.split_at_checked(7) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"bearer ") && given.ct_eq(token.reveal().as_bytes()).into()
}

/// Whether the request names this machine or an address, and no domain that could have been made
/// to point here.
fn is_for_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_token_must_be_the_whole_token() {
        let guard = Guard::new(Some(Secret::new("0123456789abcdef")));
        let passes = |value| guard.check(&headers(&[(header::AUTHORIZATION, value)])).is_ok();
        assert!(passes("Bearer 0123456789abcdef") && passes("bearer 0123456789abcdef"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef"] {
            assert!(!passes(wrong), "{wrong}");
        }
        assert!(!passes("Bearer 0123456789abcdef0") && guard.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn without_a_token_no_web_page_may_ask() {
        let guard = Guard::new(None);
        for host in ["localhost:8081", "127.0.0.1:8081", "[::1]:8081", "localhost"] {
            assert_eq!(guard.check(&headers(&[(header::HOST, host)])), Ok(()), "{host}");
        }
        for host in ["rebound.example:8081", "localhost.example", ""] {
            let refused = Err(Refused::WebPage);
            assert_eq!(guard.check(&headers(&[(header::HOST, host)])), refused, "{host}");
        }
        let page = [(header::HOST, "localhost"), (header::ORIGIN, "http://localhost:8081")];
        assert_eq!(guard.check(&headers(&page)), Err(Refused::WebPage));
    }
}
