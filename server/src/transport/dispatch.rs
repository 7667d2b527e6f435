//! From method and path to an endpoint.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::Method;
use trolleybus_protocol::sockjs::{Endpoint, SessionEndpoint, Transport};

use super::answer::Answer;
use super::call::Call;
use super::service::Service;
use super::{eventsource, greeting, htmlfile, iframe, info, jsonp, upload, ws, xhr};

/// Answers a request that came through axum's routers, which say where the service is mounted and
/// whose request it is.
pub(super) async fn routed(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let client = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let call = Call { service, parts, client, mount: 0 };
    in_task(|cx| dispatch(call, body, cx)).await.response().await
}

/// Calls `dispatch` with the context of the calling task.
pub(super) async fn in_task(dispatch: impl FnOnce(&mut Context<'_>) -> Answer) -> Answer {
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    dispatch(&mut Context::from_waker(&waker))
}

/// Answers a request. No future as long as nothing has to be waited for: most requests need none,
/// and all that they hold would be copied into it.
pub(super) fn dispatch(call: Call, body: Body, cx: &mut Context<'_>) -> Answer {
    let Some(endpoint) = Endpoint::parse(call.path()) else {
        return call.reply().not_found().into();
    };
    if let Some(answer) = answered_beforehand(&call, endpoint) {
        return answer.into();
    }
    let (session, endpoint) = match endpoint {
        Endpoint::Greeting => return greeting::greeting(&call).into(),
        Endpoint::Info => return info::info(&call).into(),
        Endpoint::Iframe => return iframe::iframe(&call).into(),
        Endpoint::RawWebSocket => return ws::open(call, Transport::RawWebSocket).into(),
        Endpoint::Session { session, endpoint, .. } => (session, endpoint),
    };
    match endpoint {
        SessionEndpoint::WebSocket => ws::open(call, Transport::WebSocket).into(),
        SessionEndpoint::Xhr => xhr::poll(&call, session, cx),
        SessionEndpoint::XhrStreaming => xhr::stream(&call, session),
        SessionEndpoint::EventSource => eventsource::stream(&call, session),
        SessionEndpoint::HtmlFile => htmlfile::stream(&call, session),
        SessionEndpoint::Jsonp => jsonp::poll(&call, session, cx),
        SessionEndpoint::XhrSend => upload::xhr_send(&call, body, session, cx),
        SessionEndpoint::JsonpSend => upload::jsonp_send(&call, body, session, cx),
    }
}

/// The answer to an origin or a method that is not allowed, and to OPTIONS.
fn answered_beforehand(call: &Call, endpoint: Endpoint<'_>) -> Option<Response> {
    if !is_document(endpoint) && !call.options().origins.allows(&call.parts.headers) {
        tracing::debug!("a page of an origin that is not allowed was refused");
        return Some(call.reply().forbidden());
    }
    let allow = allowed(endpoint);
    if !is_allowed(allow, &call.parts.method) {
        return Some(call.reply().not_allowed(allow));
    }
    (call.parts.method == Method::OPTIONS).then(|| call.reply().preflight(allow))
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
