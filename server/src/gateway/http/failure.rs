//! The one table from failures to statuses, and the JSON that says what went wrong.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Error, ErrorKind};
use utoipa::ToSchema;

/// Why a call failed: the fields of an `err` envelope.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureBody {
    /// The word for a refusal, such as `access_denied`; absent when it was let through and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'static str>,
    /// The recipient's own code, or that of the refusal, or -1.
    failure_code: i32,
    /// `TIMEOUT`, `NO_HANDLERS`, `RECIPIENT_FAILURE` or `ERROR`.
    #[schema(value_type = String)]
    failure_type: &'static str,
    /// For people.
    message: Option<String>,
}

/// A call that failed.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    /// When to try again, as far as somebody knows.
    wait: Option<Duration>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Error::refused(refusal).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, wait: None }
    }
}

impl Failure {
    /// It was over a rate, and can be tried again in a while.
    pub(super) fn rate_limited(wait: Duration) -> Self {
        Self { error: Error::refused(Refusal::RateLimited), wait: Some(wait) }
    }

    /// Whole seconds that whoever is told 429 should wait; one when nobody knows.
    fn retry_after(&self) -> u64 {
        let wait = self.wait.unwrap_or_default();
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
    }

    pub(super) fn status(&self) -> StatusCode {
        status_of(self.error.kind())
    }

    pub(super) fn body(&self) -> FailureBody {
        let body = match self.error.kind() {
            ErrorKind::Refused(refusal) => Some(refusal.word()),
            _ => None,
        };
        FailureBody {
            body,
            failure_code: self.error.code(),
            failure_type: self.error.failure_type().word(),
            message: self.error.message().map(ToOwned::to_owned),
        }
    }
}

/// The table. `protocol/README.md` carries it.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Refused(refusal) => match refusal {
            Refusal::NotLoggedIn | Refusal::InvalidToken | Refusal::TokenExpired => {
                StatusCode::UNAUTHORIZED
            }
            Refusal::AccessDenied | Refusal::Rejected | Refusal::OriginNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::MaxHandlersReached | Refusal::RateLimited | Refusal::TooManyRegistrations => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Refusal::AuthError | Refusal::RegistrationFailure => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        },
        ErrorKind::NoHandlers => StatusCode::NOT_FOUND,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Closed | ErrorKind::Overflow => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        tracing::debug!(%status, error = ?self.error.kind(), "call failed");
        let mut response = (status, axum::Json(self.body())).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, self.retry_after().into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::codes::REFUSALS;

    use super::*;

    #[test]
    fn every_failure_is_an_error_and_what_may_be_tried_again_says_so() {
        for row in REFUSALS {
            let status = Failure::from(row.refusal).status();
            assert!(status.is_client_error() || status.is_server_error(), "{}", row.word);
            let retry = [408, 429, 503].contains(&status.as_u16());
            assert_eq!(retry, row.retry, "{} is {status}", row.word);
        }
        let failed = Failure::from(Error::recipient(42, Some("no".to_owned())));
        assert_eq!(failed.status(), StatusCode::BAD_GATEWAY);
        let text = serde_json::to_string(&failed.body()).unwrap();
        assert_eq!(text, r#"{"failureCode":42,"failureType":"RECIPIENT_FAILURE","message":"no"}"#);
        let refused = serde_json::to_value(Failure::from(Refusal::AccessDenied).body()).unwrap();
        assert_eq!(
            (&refused["body"], &refused["failureCode"]),
            (&"access_denied".into(), &110.into())
        );
    }
}
