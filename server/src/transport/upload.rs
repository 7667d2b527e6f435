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
use crate::session::{Session, Tally};

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
    deliver(&session, messages).await;
    Ok(())
}

/// A service that is behind makes the client wait, and what it sends meanwhile wait behind that. A
/// closed session drops what comes.
async fn deliver(session: &Session, messages: Vec<String>) {
    let link = session.link();
    let mut tally = Tally::default();
    messages.iter().for_each(|message| tally.receive(message.len()));
    link.counters().add(link.info().transport(), &mut tally);
    let _turn = session.turn().await;
    for message in messages {
        poll_fn(|cx| link.poll_space(cx)).await;
        link.deliver(message.into(), None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::Request;
    use futures_util::FutureExt as _;
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::session::{Options, Socket};
    use crate::transport::SockJs;

    #[tokio::test]
    async fn an_upload_does_not_overtake_one_that_waits_for_room() {
        let (told, mut tells) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let options = Options { max_inbox_len: 1, ..Options::default() };
        let service = SockJs::new(options, {
            let gate = Arc::clone(&gate);
            move |mut socket: Socket| {
                let (told, gate) = (told.clone(), Arc::clone(&gate));
                async move {
                    while let Some(message) = socket.recv().await {
                        told.send(message.to_string()).ok();
                        gate.acquire().await.unwrap().forget();
                    }
                }
            }
        });
        let post = |path: &str, body: &'static str| {
            let request = Request::post(format!("/000/abc/{path}")).body(Body::from(body));
            Box::pin(service.answer(request.unwrap(), "", None))
        };
        post("xhr", "").await;
        post("xhr_send", r#"["0"]"#).await;
        assert_eq!(tells.recv().await.unwrap(), "0");
        // The service is at work: there is room for one.
        let mut first = post("xhr_send", r#"["1","2"]"#);
        assert!((&mut first).now_or_never().is_none());
        gate.add_permits(1);
        assert_eq!(tells.recv().await.unwrap(), "1");
        // There is room again, and the first upload has yet to hear of it.
        let mut second = post("xhr_send", r#"["3"]"#);
        assert!((&mut second).now_or_never().is_none());
        gate.add_permits(9);
        let answers = tokio::join!(first, second);
        let statuses = (answers.0.status(), answers.1.status());
        assert_eq!(statuses, (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
        let rest = [tells.recv().await.unwrap(), tells.recv().await.unwrap()];
        assert_eq!(rest, ["2", "3"]);
    }
}
