//! Which pages may use a service, by the `Origin` that browsers tell of them. Pure.

use http::{HeaderMap, HeaderName, header};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The pages that may use a service.
///
/// With a list, a request must tell an origin of it, be it for a WebSocket or for any HTTP
/// transport. Requests without `Origin` are of three kinds:
///
/// - of native clients: they pass, unless an origin is required. No page can make them so;
/// - of pages from browsers that say `Sec-Fetch-Site` (all of today): those from the very same
///   origin pass as `self` does, others by the origin in their `Referer`;
/// - of scripts and frames in older browsers: they cannot be told from native clients. Who cares for
///   such browsers disables the JSONP and HTML file transports.
///
/// `self` believes the `Host` of the request, which is right behind a proxy that only passes on hosts
/// of its own; name the origin instead where anybody can reach the server under any name.
///
/// The iframe page is for everybody to load, but only for the pages of the list to embed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    /// None: any page.
    list: Option<Box<[Allowed]>>,
    is_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    /// `https://app.example.com`
    Exactly(String),
    /// `https://` and `.example.com`
    Below { scheme: String, domain: String },
    /// The host that the request was sent to.
    Own,
    /// Pages without an origin, such as files and sandboxed frames.
    Null,
}

/// Not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "has `{0}`; allowed are `https://app.example.com`, `https://*.example.com`, `self` and `null`"
)]
pub struct OriginError(String);

impl Origins {
    /// Any page, as SockJS has it.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// The pages of a list, any if it is empty: `https://app.example.com`, `https://*.example.com`
    /// for all below a domain, `self` for pages of the host that the request is sent to, `null` for
    /// pages without an origin. `is_required` refuses requests that tell none.
    ///
    /// # Errors
    /// The first that is no origin.
    pub fn new(list: &[String], is_required: bool) -> Result<Self, OriginError> {
        let list: Box<[_]> =
            list.iter().map(|text| Allowed::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { list: (!list.is_empty()).then_some(list), is_required })
    }

    /// The pages of the host that a request is sent to, beside those of a list in the grammar of
    /// [`Origins::new`]; any if `*` is in it.
    ///
    /// # Errors
    /// The first that is no origin.
    pub fn own_and(list: &[String]) -> Result<Self, OriginError> {
        if list.iter().any(|text| text == "*") {
            return Ok(Self::any());
        }
        let others = list.iter().map(|text| Allowed::parse(text));
        let list: Box<[_]> =
            std::iter::once(Ok(Allowed::Own)).chain(others).collect::<Result<_, _>>()?;
        Ok(Self { list: Some(list), is_required: false })
    }

    /// Whether any page passes, and any client without one.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.list.is_none() && !self.is_required
    }

    /// Whether a request with these headers passes.
    #[must_use]
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        if self.is_any() {
            return true;
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => !self.is_required && self.allows_without(headers),
            (Some(origin), None) => {
                origin.to_str().is_ok_and(|origin| self.has(&origin.to_ascii_lowercase(), headers))
            }
            _ => false,
        }
    }

    /// No origin is told.
    fn allows_without(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match headers.get(FETCH_SITE).map(http::HeaderValue::as_bytes) {
            None | Some(b"none") => true,
            // The page is of the host that is asked, be it listed as such or by name.
            Some(b"same-origin")
                if text(header::HOST).is_some_and(|host| self.has_host(host, headers)) =>
            {
                true
            }
            Some(_) => {
                let referer = text(header::REFERER).and_then(origin_of);
                referer.is_some_and(|origin| self.has(&origin, headers))
            }
        }
    }

    /// The scheme is not known to us behind a proxy that ends TLS.
    fn has_host(&self, host: &str, headers: &HeaderMap) -> bool {
        let origins = ["https", "http"].map(|scheme| origin_of(&format!("{scheme}://{host}")));
        origins.iter().flatten().any(|origin| self.has(origin, headers))
    }

    fn has(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Some(list) = &self.list else { return true };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        list.iter().any(|allowed| allowed.matches(origin, host))
    }

    /// The `Content-Security-Policy` of the iframe page: who may embed it. None for any.
    pub(crate) fn frame_policy(&self) -> Option<String> {
        let list = self.list.as_ref()?;
        let mut policy = "frame-ancestors".to_owned();
        for allowed in list {
            policy.push(' ');
            match allowed {
                Allowed::Exactly(origin) => policy.push_str(origin),
                Allowed::Below { scheme, domain } => {
                    policy.extend([scheme.as_str(), "://*", domain.as_str()]);
                }
                Allowed::Own => policy.push_str("'self'"),
                // There is no way to name pages without an origin.
                Allowed::Null => {}
            }
        }
        if list.iter().all(|allowed| *allowed == Allowed::Null) {
            policy.push_str("'none'");
        }
        Some(policy)
    }
}

impl Allowed {
    fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.to_ascii_lowercase();
        match text.as_str() {
            "self" => return Ok(Self::Own),
            "null" => return Ok(Self::Null),
            _ => {}
        }
        let origin = origin_of(&text).filter(|origin| {
            // Nothing but an origin, with or without the port that is the usual one.
            text == *origin || text.rsplit_once(':').is_some_and(|(front, _)| front == origin)
        });
        let error = || OriginError(text.clone());
        let origin = origin.ok_or_else(error)?;
        let (scheme, host) = origin.split_once("://").ok_or_else(error)?;
        match host.strip_prefix('*') {
            None if host.contains('*') => Err(error()),
            None => Ok(Self::Exactly(origin)),
            Some(domain)
                if domain.len() > 1 && domain.starts_with('.') && !domain.contains('*') =>
            {
                Ok(Self::Below { scheme: scheme.to_owned(), domain: domain.to_owned() })
            }
            Some(_) => Err(error()),
        }
    }

    fn matches(&self, origin: &str, host: Option<&str>) -> bool {
        match self {
            Self::Exactly(allowed) => allowed == origin,
            Self::Below { scheme, domain } => origin
                .strip_prefix(scheme)
                .and_then(|rest| rest.strip_prefix("://")?.strip_suffix(domain.as_str()))
                .is_some_and(|front| !front.is_empty() && !front.contains([':', '/'])),
            // The scheme is not known to us behind a proxy that ends TLS.
            Self::Own => host.is_some_and(|host| {
                let of_origin = |scheme| origin_of(&format!("{scheme}://{host}"));
                ["https", "http"]
                    .into_iter()
                    .any(|scheme| of_origin(scheme).as_deref() == Some(origin))
            }),
            Self::Null => origin == "null",
        }
    }
}

/// Scheme, host and port in front of a URL, as browsers write an origin: lower case, and without
/// the port that is the usual one.
fn origin_of(url: &str) -> Option<String> {
    let url = url.to_ascii_lowercase();
    let (scheme, rest) = url.split_once("://")?;
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.strip_suffix(usual).unwrap_or(host);
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._~:[]*".contains(c);
    (!host.is_empty() && host.chars().all(is_host)).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn origins(list: &[&str]) -> Origins {
        let list: Vec<_> = list.iter().map(|text| (*text).to_owned()).collect();
        Origins::new(&list, false).unwrap()
    }

    fn allows(list: &[&str], origin: &str) -> bool {
        origins(list).allows(&headers(&[("origin", origin), ("host", "bus.example.net:8080")]))
    }

    #[test]
    fn an_empty_list_is_any_page() {
        assert!(allows(&[], "https://evil.example") && allows(&[], "null"));
        assert!(origins(&[]).is_any() && origins(&[]).frame_policy().is_none());
    }

    #[test]
    fn origins_match_as_a_whole() {
        let list = ["https://app.example.com", "HTTP://local.example:8080"];
        assert!(allows(&list, "https://app.example.com"));
        assert!(allows(&list, "http://local.example:8080"));
        for origin in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://evil.example/https://app.example.com",
            "https://xapp.example.com",
            "null",
            "",
        ] {
            assert!(!allows(&list, origin), "{origin}");
        }
        assert!(allows(&["https://app.example.com:443"], "https://app.example.com"));
    }

    #[test]
    fn wildcards_stand_for_one_label_or_more() {
        let list = ["https://*.example.com"];
        assert!(allows(&list, "https://a.example.com") && allows(&list, "https://a.b.example.com"));
        for origin in [
            "https://example.com",
            "https://.example.com",
            "https://evilexample.com",
            "http://a.example.com",
            "https://evil.example:1.example.com",
            "https://evil.example/.example.com",
            "https://a.example.com:8443",
        ] {
            assert!(!allows(&list, origin), "{origin}");
        }
        assert!(allows(&["https://*.example.com:8443"], "https://a.example.com:8443"));
    }

    #[test]
    fn self_and_null_have_to_be_listed() {
        assert!(allows(&["self"], "http://bus.example.net:8080"));
        assert!(allows(&["self"], "https://bus.example.net:8080"));
        assert!(!allows(&["self"], "https://bus.example.net"));
        assert!(!allows(&["https://a.example"], "http://bus.example.net:8080"));
        assert!(allows(&["null"], "null") && !allows(&["self"], "null"));
    }

    #[test]
    fn without_an_origin_native_clients_pass_and_pages_by_their_referer() {
        let list = origins(&["https://app.example.com"]);
        assert!(list.allows(&headers(&[])));
        assert!(list.allows(&headers(&[("sec-fetch-site", "none")])));
        let from = |site, referer| headers(&[("sec-fetch-site", site), ("referer", referer)]);
        assert!(list.allows(&from("same-site", "https://app.example.com/page?x=1")));
        assert!(!list.allows(&from("cross-site", "https://evil.example/https://app.example.com")));
        assert!(!list.allows(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!list.allows(&headers(&[("sec-fetch-site", "same-origin")])));
        let own = headers(&[("sec-fetch-site", "same-origin"), ("host", "app.example.com")]);
        assert!(list.allows(&own) && origins(&["self"]).allows(&own));
        assert!(!origins(&["https://b.example"]).allows(&own));
    }

    #[test]
    fn an_origin_can_be_required_and_two_are_none() {
        let required = Origins::new(&[], true).unwrap();
        assert!(!required.allows(&headers(&[])) && !required.is_any());
        assert!(required.allows(&headers(&[("origin", "https://a.example")])));
        let list = origins(&["https://a.example"]);
        let mut two = headers(&[("origin", "https://a.example")]);
        two.append("origin", "https://a.example".parse().unwrap());
        assert!(!list.allows(&two));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "*",
            "app.example.com",
            "https://",
            "https://*",
            "https://*.",
            "https://a.*.com",
            "https://a.example/",
            "https://a.example/x",
            "ftp://a.example",
            "https://*a.example",
            "https://a b",
            "https://a.example;x",
        ] {
            assert!(Origins::new(&[text.to_owned()], false).is_err(), "{text}");
        }
    }

    #[test]
    fn beside_its_own_pages_a_service_has_a_list() {
        let allows = |list: &[&str], origin: &str| {
            let list: Vec<_> = list.iter().map(|text| (*text).to_owned()).collect();
            let headers = headers(&[("origin", origin), ("host", "bus.example.net:8080")]);
            Origins::own_and(&list).map(|origins| origins.allows(&headers))
        };
        assert_eq!(allows(&[], "http://bus.example.net:8080"), Ok(true));
        assert_eq!(allows(&[], "http://bus.example.net"), Ok(false));
        assert_eq!(allows(&["https://*.b.example"], "https://a.b.example"), Ok(true));
        assert_eq!(allows(&["*"], "null"), Ok(true));
        assert!(allows(&["shop.example"], "null").is_err());
    }

    #[test]
    fn the_frame_policy_says_the_same() {
        let list = origins(&["self", "https://a.example:8443", "https://*.b.example"]);
        let policy = "frame-ancestors 'self' https://a.example:8443 https://*.b.example";
        assert_eq!(list.frame_policy().as_deref(), Some(policy));
        assert_eq!(origins(&["null"]).frame_policy().as_deref(), Some("frame-ancestors 'none'"));
    }
}
