//! From method and path to an endpoint.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::Method;
use trolleybus_protocol::sockjs::{Endpoint, SessionEndpoint, Transport};

use super::answer::Answer;
use super::call::Call;
use super::service::Service;
use super::{eventsource, greeting, htmlfile, iframe, info, jsonp, mounted, upload, ws, xhr};

/// Answers a request that came through axum's routers, which say where the service is mounted and
/// whose request it is.
pub(super) async fn routed(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = mounted::path(&parts).to_owned();
    let client = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    dispatch(Call { service, parts, client, mount: 0 }, body, &path).await.response().await
}

/// Answers a request for a path behind the mount point.
pub(super) async fn dispatch(call: Call, body: Body, path: &str) -> Answer {
    let Some(endpoint) = Endpoint::parse(path) else {
        return call.reply().not_found().into();
    };
    if !is_document(endpoint) && !call.options().origins.allows(&call.parts.headers) {
        tracing::debug!("a page of an origin that is not allowed was refused");
        return call.reply().forbidden().into();
    }
    let allow = allowed(endpoint);
    if !is_allowed(allow, &call.parts.method) {
        return call.reply().not_allowed(allow).into();
    }
    if call.parts.method == Method::OPTIONS {
        return call.reply().preflight(allow).into();
    }
    match endpoint {
        Endpoint::Greeting => greeting::greeting(&call).into(),
        Endpoint::Info => info::info(&call).into(),
        Endpoint::Iframe => iframe::iframe(&call).into(),
        Endpoint::RawWebSocket => ws::open(call, Transport::RawWebSocket).into(),
        Endpoint::Session { session, endpoint, .. } => serve(call, body, session, endpoint).await,
    }
}

/// Documents say nothing to a page: the iframe page itself says who may embed it.
fn is_document(endpoint: Endpoint<'_>) -> bool {
    matches!(endpoint, Endpoint::Greeting | Endpoint::Iframe)
}

fn allowed(endpoint: Endpoint<'_>) -> &'static str {
    let Endpoint::Session { endpoint, .. } = endpoint else {
        return if endpoint == Endpoint::Info { "OPTIONS, GET" } else { "GET" };
    };
    match endpoint {
        SessionEndpoint::Xhr | SessionEndpoint::XhrStreaming | SessionEndpoint::XhrSend => {
            "OPTIONS, POST"
        }
        SessionEndpoint::JsonpSend => "POST",
        SessionEndpoint::WebSocket
        | SessionEndpoint::EventSource
        | SessionEndpoint::HtmlFile
        | SessionEndpoint::Jsonp => "GET",
    }
}

/// Whether a method is in a list that [`allowed`] gives: of one, or of OPTIONS and one.
fn is_allowed(allow: &str, method: &Method) -> bool {
    match *method {
        Method::OPTIONS => allow.starts_with("OPTIONS"),
        Method::GET | Method::POST => allow.ends_with(method.as_str()),
        _ => false,
    }
}

async fn serve(call: Call, body: Body, session: &str, endpoint: SessionEndpoint) -> Answer {
    match endpoint {
        SessionEndpoint::WebSocket => ws::open(call, Transport::WebSocket).into(),
        SessionEndpoint::Xhr => xhr::poll(&call, session).await,
        SessionEndpoint::XhrStreaming => xhr::stream(&call, session).into(),
        SessionEndpoint::EventSource => eventsource::stream(&call, session).into(),
        SessionEndpoint::HtmlFile => htmlfile::stream(&call, session).into(),
        SessionEndpoint::Jsonp => jsonp::poll(&call, session).await,
        SessionEndpoint::XhrSend => upload::xhr_send(&call, body, session).await.into(),
        SessionEndpoint::JsonpSend => upload::jsonp_send(&call, body, session).await.into(),
    }
}
