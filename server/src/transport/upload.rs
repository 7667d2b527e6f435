//! `xhr_send` and `jsonp_send`: messages of the client that come as request bodies.

use std::borrow::Cow;
use std::future::poll_fn;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use trolleybus_protocol::sockjs::{Upload, UploadError, form_field};

use super::call::Call;
use super::headers::{self, Reply};
use crate::session::{Link, Tally};

pub(super) async fn xhr_send(call: &Call, body: Body, session: &str) -> Response {
    let uploaded = match read(call, body).await {
        Ok(body) => upload(call, session, &lossy(&body)).await,
        Err(refusal) => Err(refusal),
    };
    let reply = call.reply().content_type(&headers::TEXT).no_cache().cors().cookie();
    match uploaded {
        Ok(()) => reply.send(StatusCode::NO_CONTENT, Body::empty()),
        Err(refusal) => refusal.send(reply),
    }
}

pub(super) async fn jsonp_send(call: &Call, body: Body, session: &str) -> Response {
    let uploaded = match read(call, body).await {
        Ok(body) => upload(call, session, &text_of(call, &body)).await,
        Err(refusal) => Err(refusal),
    };
    let reply = call.reply().content_type(&headers::TEXT).no_cache().cookie();
    match uploaded {
        Ok(()) => reply.ok("ok"),
        Err(refusal) => refusal.send(reply),
    }
}

/// A form carries the messages in its field `d`; any other body is the messages.
fn text_of(call: &Call, body: &[u8]) -> String {
    let content_type = call.parts.headers.get(header::CONTENT_TYPE);
    let is_form = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with(FORM));
    if is_form { form_field(body, "d").unwrap_or_default() } else { lossy(body).into_owned() }
}

/// What is no UTF-8 becomes U+FFFD. The standard library looks for it byte by byte; nearly always
/// there is none, which is found out faster.
fn lossy(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Why an upload was not taken.
enum Refusal {
    Content(UploadError),
    NoSession,
    TooBig,
    TooSlow,
    Broken,
}

impl Refusal {
    fn send(self, reply: Reply<'_>) -> Response {
        match self {
            Self::Content(error) => {
                reply.send(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            Self::NoSession => reply.send(StatusCode::NOT_FOUND, "No such session\n"),
            Self::TooBig => reply.send(StatusCode::PAYLOAD_TOO_LARGE, "Too big\n"),
            Self::TooSlow => reply.send(StatusCode::REQUEST_TIMEOUT, "Too slow\n"),
            Self::Broken => reply.send(StatusCode::BAD_REQUEST, "Broken body\n"),
        }
    }
}

async fn read(call: &Call, body: Body) -> Result<Bytes, Refusal> {
    let limit = call.options().max_upload_size;
    if http_body::Body::size_hint(&body).lower() > limit as u64 {
        return Err(Refusal::TooBig);
    }
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(call.options().body_timeout, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooBig),
        Ok(Err(_)) => Err(Refusal::Broken),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// The body is looked at before the session, so that nonsense to nowhere is still nonsense.
async fn upload(call: &Call, session: &str, text: &str) -> Result<(), Refusal> {
    let upload = Upload::parse_body(text).map_err(Refusal::Content)?;
    let messages: Vec<String> = upload.into_iter().collect();
    let session = call.service.session(session).ok_or(Refusal::NoSession)?;
    let limit = call.options().max_message_size;
    if messages.iter().any(|message| message.len() > limit) {
        return Err(Refusal::TooBig);
    }
    deliver(session.link(), messages).await;
    Ok(())
}

/// A service that is behind makes the client wait. A closed session drops what comes.
async fn deliver(link: &Link, messages: Vec<String>) {
    let mut tally = Tally::default();
    messages.iter().for_each(|message| tally.receive(message.len()));
    link.counters().add(link.info().transport(), &mut tally);
    for message in messages {
        poll_fn(|cx| link.poll_space(cx)).await;
        link.deliver(message.into(), None);
    }
}
