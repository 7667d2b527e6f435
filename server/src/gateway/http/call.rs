//! What a request says: who calls, which address, which headers and body.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Address, Body, ByteString, Headers};

use super::failure::Failure;
use super::handle::Core;
use crate::access::{AuthFailure, Principal};
use crate::gateway::HttpOptions;
use crate::gateway::rights::Rights;

/// HTTP headers that are headers of the message: `X-Bus-Colour` is `colour`.
pub(super) const HEADER_PREFIX: &str = "x-bus-";

/// A call about an address.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) address: Address,
    /// Where it comes from, if the app was served with connect info.
    pub(super) peer: Option<SocketAddr>,
    /// The user, if it brings a token that names one.
    pub(super) subject: Option<String>,
    pub(super) rights: Rights,
    pub(super) query: CallQuery,
}

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CallQuery {
    timeout: Option<String>,
    pattern: Option<String>,
}

/// A call that brings a message.
#[derive(Debug)]
pub(super) struct MessageCall {
    pub(super) call: Call,
    pub(super) headers: Headers,
    pub(super) body: Body,
    /// What a hook is told where an answer is wanted.
    pub(super) reply_address: Option<Address>,
}

impl Call {
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip())
    }
}

impl CallQuery {
    /// How long a request may take, `?timeout=` in milliseconds.
    pub(super) fn timeout(&self, longest: Duration) -> Result<Duration, Refusal> {
        let Some(text) = &self.timeout else {
            return Ok(longest);
        };
        let milliseconds = text.parse::<u32>().ok().filter(|milliseconds| *milliseconds > 0);
        let milliseconds = milliseconds.ok_or(Refusal::InvalidTimeout)?;
        Ok(Duration::from_millis(milliseconds.into()).min(longest))
    }

    /// Whether the address is a pattern.
    pub(super) fn is_pattern(&self) -> bool {
        self.pattern.as_deref() == Some("true")
    }
}

impl FromRequestParts<Arc<Core>> for Call {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Failure> {
        let (peer, bytes) = (client(parts), declared_bytes(&parts.headers, &core.options));
        let ip = peer.map(|peer| peer.ip());
        core.limits.admit_from(ip, bytes, clock()).map_err(Failure::rate_limited)?;
        let Path(address) = Path::<String>::from_request_parts(parts, core)
            .await
            .map_err(|_| Refusal::MissingAddress)?;
        let limit = core.options.max_address_length;
        if address.len() > limit && address.encode_utf16().count() > limit {
            return Err(Refusal::MaxAddressLengthReached.into());
        }
        let query = Query::<CallQuery>::from_request_parts(parts, core).await;
        let query = query.map_or_else(|_| CallQuery::default(), |Query(query)| query);
        let principal = principal(core, parts).await?;
        let subject = principal.as_ref().and_then(Principal::subject).map(str::to_owned);
        if let Some(subject) = &subject {
            core.limits.admit_by(subject, bytes, clock()).map_err(Failure::rate_limited)?;
        }
        let rights = Rights::new(core.policy.clone(), principal);
        Ok(Self { address: address.into(), peer, subject, rights, query })
    }
}

/// The time, as limits are told it.
pub(super) fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn client(parts: &Parts) -> Option<SocketAddr> {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(client)| *client)
}

/// How long the body will be; one that does not say counts as the longest.
fn declared_bytes(headers: &HeaderMap, options: &HttpOptions) -> usize {
    if headers.contains_key(TRANSFER_ENCODING) {
        return options.max_body_size;
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok()).unwrap_or_default();
    options.max_body_size.min(length)
}

/// Who stands behind the token of a request, if it brings one and somebody reads tokens here.
async fn principal(core: &Core, parts: &Parts) -> Result<Option<Principal>, Refusal> {
    let Some(authentication) = &core.authentication else {
        return Ok(None);
    };
    match authentication.credentials.of_request(&parts.headers, parts.uri.query()) {
        Some(token) => {
            let principal = authentication.authenticator.authenticate(token.as_str()).await;
            core.counters.authentications.count(&principal);
            principal.map(Some).map_err(AuthFailure::refusal)
        }
        None if authentication.required => Err(Refusal::NotLoggedIn),
        None => Ok(None),
    }
}

impl FromRequest<Arc<Core>> for MessageCall {
    type Rejection = Failure;

    async fn from_request(request: Request, core: &Arc<Core>) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let call = Call::from_request_parts(&mut parts, core).await?;
        let headers = message_headers(&parts.headers)?;
        let kind = BodyKind::of(&parts.headers)?;
        let read = read(body, core.options.max_body_size);
        let limit = Duration::from_millis(core.options.body_timeout_ms);
        let text = tokio::time::timeout(limit, read).await.map_err(|_| Refusal::TooSlow)??;
        Ok(Self { call, headers, body: kind.body(text)?, reply_address: None })
    }
}

/// Pieces are copied as they come: each of one byte would keep forty, and the buffer that it was
/// read into.
async fn read(body: axum::body::Body, limit: usize) -> Result<ByteString, Refusal> {
    let (mut body, mut whole) = (Limited::new(body, limit), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { Refusal::TooLarge } else { Refusal::TooSlow }
        })?;
        whole.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    String::from_utf8(whole).map(ByteString::from).map_err(|_| Refusal::InvalidJson)
}

fn message_headers(headers: &HeaderMap) -> Result<Headers, Refusal> {
    let ours = |(name, value): (&HeaderName, &http::HeaderValue)| {
        let name = name.as_str().strip_prefix(HEADER_PREFIX)?.to_owned();
        Some((name, value.to_str().map(ToOwned::to_owned)))
    };
    let mut taken = Headers::new();
    for (name, value) in headers.iter().filter_map(ours) {
        let value = value.map_err(|_| Refusal::InvalidHeaders)?;
        taken.append(name, value).map_err(|_| Refusal::InvalidHeaders)?;
    }
    Ok(taken)
}

/// How the body of a request becomes that of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyKind {
    /// As it stands; nothing is `null`.
    Json,
    /// As a JSON string.
    Text,
}

impl BodyKind {
    /// Browsers let pages of other origins send plain text unasked; whether those are allowed was
    /// looked at before.
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        match essence.trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "text/plain" => Ok(Self::Text),
            _ => Err(Refusal::UnsupportedMediaType),
        }
    }

    fn body(self, text: ByteString) -> Result<Body, Refusal> {
        match self {
            Self::Json if text.is_empty() => Ok(Body::null()),
            Self::Json => Body::from_json(text).map_err(|_| Refusal::InvalidJson),
            Self::Text => Ok(Body::from_text(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn kind(value: Option<&'static str>) -> Result<BodyKind, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        BodyKind::of(&headers)
    }

    #[test]
    fn bodies_are_json_or_text() {
        assert_eq!(kind(None), Ok(BodyKind::Json));
        assert_eq!(kind(Some("Application/JSON; charset=utf-8")), Ok(BodyKind::Json));
        assert_eq!(kind(Some("text/plain")), Ok(BodyKind::Text));
        for other in ["application/x-www-form-urlencoded", "multipart/form-data", "", "text/html"] {
            assert_eq!(kind(Some(other)), Err(Refusal::UnsupportedMediaType), "{other}");
        }
        let body = |kind: BodyKind, text: &'static str| kind.body(ByteString::from_static(text));
        assert_eq!(body(BodyKind::Json, " {\"n\": 1.10}\n").unwrap().as_json(), "{\"n\": 1.10}");
        assert_eq!(body(BodyKind::Json, ""), Ok(Body::null()));
        assert_eq!(body(BodyKind::Json, "goal"), Err(Refusal::InvalidJson));
        assert_eq!(body(BodyKind::Text, "\"goal\"").unwrap().as_json(), r#""\"goal\"""#);
    }

    #[test]
    fn message_headers_have_a_prefix() {
        let mut headers = HeaderMap::new();
        headers.insert("x-bus-colour", HeaderValue::from_static("red"));
        headers.append("x-bus-colour", HeaderValue::from_static("blue"));
        headers.insert("x-other", HeaderValue::from_static("no"));
        let taken = message_headers(&headers).unwrap();
        assert_eq!(taken.iter().collect::<Vec<_>>(), [("colour", "red"), ("colour", "blue")]);
        headers.insert("x-bus-", HeaderValue::from_static("nameless"));
        assert!(message_headers(&headers).is_err());
    }

    #[test]
    fn timeouts_are_milliseconds_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        let timeout = |text: Option<&str>| {
            let query = CallQuery { timeout: text.map(Into::into), pattern: None };
            query.timeout(longest)
        };
        assert_eq!(timeout(None), Ok(longest));
        assert_eq!(timeout(Some("250")), Ok(Duration::from_millis(250)));
        assert_eq!(timeout(Some("99999999")), Ok(longest));
        for bad in ["0", "-1", "1.5", "soon", ""] {
            assert_eq!(timeout(Some(bad)), Err(Refusal::InvalidTimeout), "{bad}");
        }
    }
}
