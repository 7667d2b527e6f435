//! Where a request carries its token.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, header};

/// Where a request may carry its token. The places are looked at in the order of the fields, and the
/// first token found counts; whoever opens a socket may also show one in an `authenticate` envelope.
///
/// ```
/// # use trolleybus::access::Credentials;
/// let credentials = Credentials { query: Some("token".into()), ..Credentials::default() };
/// let token = credentials.find(|_| None, Some("t=1&token=abc"));
/// assert_eq!(token.unwrap().as_str(), "abc");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// In `Authorization: Bearer TOKEN`: true.
    pub bearer: bool,
    /// In the query parameter of this name: none, as URLs end up in logs and histories.
    pub query: Option<String>,
    /// In the cookie of this name: none. Browsers send cookies along for any page that asks, so
    /// this is safe only together with a check of the origin.
    pub cookie: Option<String>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { bearer: true, query: None, cookie: None }
    }
}

/// A token as it came. It shows itself to nobody who does not ask for its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Token<'a>(Cow<'a, str>);

impl Token<'_> {
    /// The text, not to be logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, not to be logged.
    #[must_use]
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Credentials {
    /// The token of a request, given its headers and its query string without the question mark.
    #[must_use]
    pub fn of_request<'a>(
        &self,
        headers: &'a HeaderMap,
        query: Option<&'a str>,
    ) -> Option<Token<'a>> {
        let first = |name| headers.get(name).and_then(|value| value.to_str().ok());
        self.in_header(first(header::AUTHORIZATION)).or_else(|| self.in_query(query)).or_else(
            || {
                let mut cookies = headers.get_all(header::COOKIE).iter();
                cookies.find_map(|cookies| self.in_cookies(cookies.to_str().ok()))
            },
        )
    }

    /// The token of a request of which `header` gives the headers by their lower-case names.
    #[must_use]
    pub fn find<'a>(
        &self,
        header: impl Fn(&str) -> Option<&'a str>,
        query: Option<&'a str>,
    ) -> Option<Token<'a>> {
        self.in_header(header("authorization"))
            .or_else(|| self.in_query(query))
            .or_else(|| self.in_cookies(header("cookie")))
    }

    fn in_header<'a>(&self, value: Option<&'a str>) -> Option<Token<'a>> {
        let (scheme, token) = value.filter(|_| self.bearer)?.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(Token(token.into()))
    }

    fn in_query<'a>(&self, query: Option<&'a str>) -> Option<Token<'a>> {
        let wanted = self.query.as_deref()?;
        let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
        let (_, token) = pairs.find(|(name, token)| name == wanted && !token.is_empty())?;
        Some(Token(token))
    }

    fn in_cookies<'a>(&self, cookies: Option<&'a str>) -> Option<Token<'a>> {
        let wanted = self.cookie.as_deref()?;
        let mut pairs = cookies?.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, token) = pairs.find(|(name, _)| *name == wanted)?;
        let token = token.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(token);
        (!token.is_empty()).then_some(Token(token.into()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn everywhere() -> Credentials {
        Credentials { bearer: true, query: Some("token".into()), cookie: Some("session".into()) }
    }

    fn found(credentials: &Credentials, headers: &[(&str, &str)], query: &str) -> Option<String> {
        let header = |wanted: &str| {
            headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
        };
        let by_name = credentials.find(header, Some(query)).map(Token::into_owned);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let of_request = credentials.of_request(&map, Some(query)).map(Token::into_owned);
        assert_eq!(by_name, of_request);
        by_name
    }

    #[test]
    fn the_header_goes_before_the_query_and_that_before_the_cookie() {
        let bearer = ("authorization", "bearer  in-header ");
        let cookie = ("cookie", "a=b; session=\"in-cookie\"; session=other");
        let all = everywhere();
        assert_eq!(found(&all, &[bearer, cookie], "token=q").as_deref(), Some("in-header"));
        assert_eq!(found(&all, &[cookie], "t=1&token=in%2Dquery").as_deref(), Some("in-query"));
        assert_eq!(found(&all, &[cookie], "t=1").as_deref(), Some("in-cookie"));
        assert_eq!(found(&all, &[], "t=1"), None);
    }

    #[test]
    fn only_what_is_switched_on_is_looked_at() {
        let bearer = ("authorization", "Bearer a");
        let cookie = ("cookie", "session=b");
        let usual = Credentials::default();
        assert_eq!(found(&usual, &[cookie], "token=c"), None);
        assert_eq!(found(&usual, &[bearer], "token=c").as_deref(), Some("a"));
        let none = Credentials { bearer: false, ..usual };
        assert_eq!(found(&none, &[bearer, cookie], "token=c"), None);
    }

    #[test]
    fn half_written_ones_are_none() {
        let all = everywhere();
        for value in ["Bearer", "Bearer ", "Basic abc", "abc", ""] {
            assert_eq!(found(&all, &[("authorization", value)], "token="), None, "{value}");
        }
        for value in ["session", "session=", "session=\"\"", "xsession=a", ";;="] {
            assert_eq!(found(&all, &[("cookie", value)], "token"), None, "{value}");
        }
    }

    #[test]
    fn of_several_cookie_headers_the_first_with_a_token_counts() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b"));
        headers.append(header::COOKIE, HeaderValue::from_static("session=x"));
        assert_eq!(everywhere().of_request(&headers, None).unwrap().as_str(), "x");
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = everywhere().find(|_| None, Some("token=secret"));
        assert_eq!(format!("{token:?}"), "Some(Token(..))");
    }
}
