//! JSON answers, pages, and refusals.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

/// Entries of a page when nobody says how many.
const USUAL_PAGE: usize = 100;

/// Why a request is not answered: `{"error": word, "message": text}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    Unauthorized,
    WebPage,
    NotFound(&'static str),
    BadRequest(String),
    Failed(String),
    Absent(&'static str),
}

impl Refused {
    fn parts(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "the admin token is missing or wrong".into(),
            ),
            Self::WebPage => {
                let text = "without a token, only programs on this machine may ask";
                (StatusCode::FORBIDDEN, "forbidden", text.into())
            }
            Self::NotFound(text) => (StatusCode::NOT_FOUND, "not_found", text.into()),
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, "bad_request", text),
            Self::Failed(text) => (StatusCode::UNPROCESSABLE_ENTITY, "failed", text),
            Self::Absent(text) => (StatusCode::NOT_IMPLEMENTED, "absent", text.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let is_unauthorized = self == Self::Unauthorized;
        let (status, error, message) = self.parts();
        let mut response = answer(&serde_json::json!({ "error": error, "message": message }));
        *response.status_mut() = status;
        if is_unauthorized {
            let challenge = http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What every handler gives.
pub(super) type Answered = Result<Response, Refused>;

/// A JSON document that nobody keeps.
pub(super) fn answer(value: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

/// How many entries, and after which.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageQuery<A> {
    pub(super) limit: Option<usize>,
    pub(super) after: Option<A>,
    pub(super) prefix: Option<String>,
}

impl<A> PageQuery<A> {
    /// The wanted number within 1 and `most`.
    pub(super) fn limit(&self, most: usize) -> usize {
        self.limit.unwrap_or(USUAL_PAGE).clamp(1, most)
    }
}
