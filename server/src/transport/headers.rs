//! The header recipes, as a builder of answers.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::session::Options;

// Values that stand in most answers are checked when this is compiled, not in each answer.
pub(super) static JAVASCRIPT: HeaderValue =
    HeaderValue::from_static("application/javascript; charset=UTF-8");
pub(super) static JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");
pub(super) static HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");
pub(super) static TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");
pub(super) static EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

static NO_CACHE: HeaderValue =
    HeaderValue::from_static("no-store, no-cache, no-transform, must-revalidate, max-age=0");
static FOR_A_YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000");
static ANY: HeaderValue = HeaderValue::from_static("*");
static TRUE: HeaderValue = HeaderValue::from_static("true");
static ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const SESSION_COOKIE: &str = "JSESSIONID=";
const ONE_YEAR: u64 = 31_536_000;

// The headers of frequent answers to any page: a copy costs less than a third of making them.
pub(super) static FRAMES: LazyLock<HeaderMap> = LazyLock::new(|| for_pages(&JAVASCRIPT));
pub(super) static TAKEN: LazyLock<HeaderMap> = LazyLock::new(|| for_pages(&TEXT));

fn for_pages(content_type: &HeaderValue) -> HeaderMap {
    let (request, options) = (HeaderMap::new(), Options::default());
    Reply::new(&request, &options).content_type(content_type).no_cache().cors().headers
}

/// An answer in the making.
pub(super) struct Reply<'a> {
    request: &'a HeaderMap,
    options: &'a Options,
    headers: HeaderMap,
}

impl<'a> Reply<'a> {
    pub(super) fn new(request: &'a HeaderMap, options: &'a Options) -> Self {
        Self { request, options, headers: HeaderMap::new() }
    }

    pub(super) fn with(self, name: HeaderName, value: &'static str) -> Self {
        self.with_value(name, HeaderValue::from_static(value))
    }

    pub(super) fn with_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn content_type(self, value: &HeaderValue) -> Self {
        self.with_value(header::CONTENT_TYPE, value.clone())
    }

    pub(super) fn no_cache(self) -> Self {
        self.with_value(header::CACHE_CONTROL, NO_CACHE.clone())
    }

    pub(super) fn cacheable(mut self) -> Self {
        let expires = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ONE_YEAR));
        if let Ok(expires) = HeaderValue::try_from(expires) {
            self.headers.insert(header::EXPIRES, expires);
        }
        self.with_value(header::CACHE_CONTROL, FOR_A_YEAR.clone())
    }

    /// Not cached, and to be read by the requesting page: with headers that were made before.
    pub(super) fn like(mut self, headers: &HeaderMap) -> Self {
        self.headers = headers.clone();
        self.with_origin()
    }

    /// Lets the requesting page read the answer, credentials included.
    pub(super) fn cors(self) -> Self {
        self.with_value(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY.clone())
            .with_value(header::VARY, ORIGIN.clone())
            .with_origin()
    }

    /// Names the page to which [`Reply::cors`] holds, where it has said who it is.
    fn with_origin(mut self) -> Self {
        if let Some(origin) = self.request.get(header::ORIGIN) {
            self.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            self.headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE.clone());
        }
        let asked = self.request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
            self.headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        self
    }

    /// The cookie that sticky load balancers look at, when the service wants it.
    pub(super) fn cookie(mut self) -> Self {
        if self.options.jsessionid {
            let id = session_cookie(self.request).unwrap_or("dummy");
            if let Ok(cookie) = HeaderValue::try_from(format!("{SESSION_COOKIE}{id}; path=/")) {
                self.headers.insert(header::SET_COOKIE, cookie);
            }
        }
        self
    }

    pub(super) fn send(self, status: StatusCode, body: impl Into<Body>) -> Response {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        *response.headers_mut() = self.headers;
        response
    }

    pub(super) fn ok(self, body: impl Into<Body>) -> Response {
        self.send(StatusCode::OK, body)
    }

    /// The answer to OPTIONS.
    pub(super) fn preflight(self, methods: &'static str) -> Response {
        self.cors()
            .cacheable()
            .cookie()
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, methods)
            .with(header::ACCESS_CONTROL_MAX_AGE, "31536000")
            .send(StatusCode::NO_CONTENT, Body::empty())
    }

    pub(super) fn not_found(self) -> Response {
        self.content_type(&TEXT).send(StatusCode::NOT_FOUND, "404 Not Found\n")
    }

    pub(super) fn forbidden(self) -> Response {
        self.content_type(&TEXT)
            .with_value(header::VARY, ORIGIN.clone())
            .send(StatusCode::FORBIDDEN, "This origin is not allowed\n")
    }

    pub(super) fn not_allowed(self, allow: &'static str) -> Response {
        self.with(header::ALLOW, allow).send(StatusCode::METHOD_NOT_ALLOWED, Body::empty())
    }

    pub(super) fn unavailable(self) -> Response {
        self.content_type(&TEXT).send(StatusCode::SERVICE_UNAVAILABLE, "Too many sockets\n")
    }
}

/// Copies of the request's headers that answers look at.
pub(super) fn repeated(request: &HeaderMap, options: &Options) -> HeaderMap {
    let copy = |name| {
        let value = request.get(&name)?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let cookie = || {
        let id = session_cookie(request).filter(|_| options.jsessionid)?;
        Some((header::COOKIE, HeaderValue::try_from(format!("{SESSION_COOKIE}{id}")).ok()?))
    };
    let copied = [copy(header::ORIGIN), copy(header::ACCESS_CONTROL_REQUEST_HEADERS), cookie()];
    let mut headers = HeaderMap::with_capacity(copied.iter().flatten().count());
    headers.extend(copied.into_iter().flatten());
    headers
}

fn session_cookie(request: &HeaderMap) -> Option<&str> {
    request
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(SESSION_COOKIE))
        .filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie_of(cookies: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
        session_cookie(&headers).map(str::to_owned)
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        assert_eq!(cookie_of("a=b; JSESSIONID=abc; c=d").as_deref(), Some("abc"));
        assert_eq!(cookie_of("XJSESSIONID=abc"), None);
        assert_eq!(cookie_of("JSESSIONID="), None);
    }

    #[test]
    fn an_answer_that_comes_later_has_the_headers_of_one_that_comes_at_once() {
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, HeaderValue::from_static("https://a.example"));
        request.insert(header::COOKIE, HeaderValue::from_static("big=1; JSESSIONID=abc"));
        request.insert(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("authorization"),
        );
        for jsessionid in [true, false] {
            let options = Options { jsessionid, ..Options::default() };
            let answer = |request: &HeaderMap| {
                Reply::new(request, &options).cors().cookie().ok(Body::empty()).headers().clone()
            };
            let repeated = repeated(&request, &options);
            assert_eq!(answer(&repeated), answer(&request));
            assert_eq!(repeated.len(), if jsessionid { 3 } else { 2 });
        }
    }
}
