//! The static site: a folder of files, ready-made `.gz` siblings included.

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Everything from the site itself; WebAssembly may be compiled, and the client keeps time in hidden
/// pages by a worker that it makes of a text.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; \
     worker-src 'self' blob:; \
     base-uri 'none'; frame-ancestors 'self'";

/// Files below `folder`, revalidated by the browser at each use.
pub(super) fn router(folder: &Path) -> Router {
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .fallback_service(ServeDir::new(folder).precompressed_gzip())
        .layer(from_fn(from_one_slash))
        .layer(header(CACHE_CONTROL, "no-cache"))
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

/// A folder asked for without the slash at its end is answered with a redirect to its path; of one
/// that begins with two a browser would take the first folder for a host.
async fn from_one_slash(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("//") {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}
