//! The OpenAPI document, made from the code that serves.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{SecurityRequirement, Server};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::handle::Core;
use super::{messages, subscribe};

#[derive(OpenApi)]
#[openapi(info(
    title = "Trolleybus HTTP gateway",
    description = "Publish, send and request on the event bus, and subscribe to its addresses.",
    version = env!("CARGO_PKG_VERSION"),
    license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
))]
struct Document;

/// The document as it is served.
#[derive(Debug, Clone)]
pub(super) struct Served(Arc<str>);

/// The routes, and the document about them. What is routed is documented: both come out of one
/// declaration.
pub(super) fn routes(path: &str) -> (Router<Arc<Core>>, Served) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(messages::publish))
        .routes(routes!(messages::send))
        .routes(routes!(messages::request))
        .routes(routes!(subscribe::subscribe))
        .split_for_parts();
    document.servers = Some(vec![Server::new(path)]);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", bearer);
    // With a token or without: the rules decide.
    let nobody = SecurityRequirement::default();
    document.security = Some(vec![nobody, SecurityRequirement::new("token", [] as [&str; 0])]);
    let paths = std::mem::take(&mut document.paths.paths);
    // The asterisk that lets an address hold slashes is axum's, not OpenAPI's.
    document.paths.paths =
        paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    let text = document.to_json().expect("invariant: the document is plain data");
    (router, Served(text.into()))
}

impl IntoResponse for Served {
    fn into_response(self) -> Response {
        let mut response = self.0.to_string().into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}
