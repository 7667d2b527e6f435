//! `xhr_send` and `jsonp_send`: messages of the client that come as request bodies.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use trolleybus_protocol::sockjs::{Upload, UploadError, form_field};

use super::answer::Answer;
use super::call::Call;
use super::headers::{self, Reply};
use super::service::Service;
use crate::session::{Options, Session, Tally};

pub(super) fn xhr_send(call: &Call, body: Body, session: &str, cx: &mut Context<'_>) -> Answer {
    send(Form::Xhr, call, body, session, cx)
}

pub(super) fn jsonp_send(call: &Call, body: Body, session: &str, cx: &mut Context<'_>) -> Answer {
    let content_type = call.parts.headers.get(header::CONTENT_TYPE);
    let is_field = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with(FORM));
    send(if is_field { Form::JsonpField } else { Form::Jsonp }, call, body, session, cx)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Nearly always the whole body is there, one message is in it, and there is room for it. Then this
/// is all; what has to be waited for is put into a future, without the request.
fn send(form: Form, call: &Call, mut body: Body, session: &str, cx: &mut Context<'_>) -> Answer {
    let options = call.options();
    let uploaded = match at_hand(&mut body, options.max_upload_size, cx) {
        Ok(AtHand::Whole(whole)) => Parcel::new(&call.service, session, &form.text(&whole)),
        Ok(AtHand::Part(first)) => {
            let (asker, service, session) =
                (call.asker(), Arc::clone(&call.service), session.to_owned());
            return Answer::Later(Box::pin(async move {
                let uploaded = async {
                    let whole = rest(first, body, &service.options).await?;
                    let parcel = Parcel::new(&service, &session, &form.text(&whole))?;
                    drop(whole);
                    parcel.deliver().await;
                    Ok(())
                };
                form.answer(asker.reply(), uploaded.await)
            }));
        }
        Err(refusal) => Err(refusal),
    };
    match uploaded {
        Ok(mut parcel) => {
            if parcel.deliver_at_once(cx) {
                return form.answer(call.reply(), Ok(())).into();
            }
            let asker = call.asker();
            Answer::Later(Box::pin(async move {
                parcel.deliver().await;
                form.answer(asker.reply(), Ok(()))
            }))
        }
        Err(refusal) => form.answer(call.reply(), Err(refusal)).into(),
    }
}

/// How the messages stand in a body, and how it is answered.
#[derive(Clone, Copy)]
enum Form {
    Xhr,
    Jsonp,
    /// A form, with the messages in its field `d`.
    JsonpField,
}

impl Form {
    fn text(self, body: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Xhr | Self::Jsonp => lossy(body),
            Self::JsonpField => form_field(body, "d").unwrap_or_default().into(),
        }
    }

    fn answer(self, reply: Reply<'_>, uploaded: Result<(), Refusal>) -> Response {
        let reply = match self {
            Self::Xhr => reply.like(&headers::TAKEN).cookie(),
            Self::Jsonp | Self::JsonpField => {
                reply.content_type(&headers::TEXT).no_cache().cookie()
            }
        };
        match (uploaded, self) {
            (Ok(()), Self::Xhr) => reply.send(StatusCode::NO_CONTENT, Body::empty()),
            (Ok(()), Self::Jsonp | Self::JsonpField) => reply.ok("ok"),
            (Err(refusal), _) => refusal.send(reply),
        }
    }
}

/// What is no UTF-8 becomes U+FFFD. The standard library looks for it byte by byte; nearly always
/// there is none, which is found out faster.
fn lossy(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

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

/// As much of a body as came with the head of its request.
enum AtHand {
    Whole(Bytes),
    Part(Bytes),
}

fn at_hand(body: &mut Body, limit: usize, cx: &mut Context<'_>) -> Result<AtHand, Refusal> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::TooBig);
    }
    let data = match Pin::new(&mut *body).poll_frame(cx) {
        Poll::Pending => return Ok(AtHand::Part(Bytes::new())),
        Poll::Ready(None) => return Ok(AtHand::Whole(Bytes::new())),
        Poll::Ready(Some(Err(_))) => return Err(Refusal::Broken),
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
    };
    match data.len() <= limit {
        true if body.is_end_stream() => Ok(AtHand::Whole(data)),
        true => Ok(AtHand::Part(data)),
        false => Err(Refusal::TooBig),
    }
}

/// Waits for what is missing after `first`. Each piece is copied when it comes: of chunks of one
/// byte each would keep forty, and the buffer that it was read into.
async fn rest(first: Bytes, body: Body, options: &Options) -> Result<Bytes, Refusal> {
    let mut body = Limited::new(body, options.max_upload_size - first.len());
    let collected = async {
        let mut whole = Vec::from(first);
        while let Some(frame) = body.frame().await.transpose()? {
            whole.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
        Ok::<_, axum::BoxError>(whole)
    };
    match tokio::time::timeout(options.body_timeout, collected).await {
        Ok(Ok(whole)) => Ok(whole.into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooBig),
        Ok(Err(_)) => Err(Refusal::Broken),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// What a client sends to its session.
struct Parcel {
    session: Arc<Session>,
    /// Of very many messages most are taken out of their text only when it is their turn.
    upload: Upload,
}

impl Parcel {
    /// The body is looked at before the session, so that nonsense to nowhere is still nonsense.
    fn new(service: &Service, session: &str, text: &str) -> Result<Self, Refusal> {
        let upload = Upload::parse_body(text).map_err(Refusal::Content)?;
        let session = service.session(session).ok_or(Refusal::NoSession)?;
        let limit = service.options.max_message_size;
        let is_too_big = match &upload {
            Upload::Nothing => false,
            Upload::One(message) => message.len() > limit,
            // No message is longer than the text that it comes in.
            Upload::Many(_) => {
                text.len() > limit
                    && upload.clone().into_iter().any(|message| message.len() > limit)
            }
        };
        if is_too_big { Err(Refusal::TooBig) } else { Ok(Self { session, upload }) }
    }

    /// Delivers a single message if no upload is before it and there is room. False otherwise.
    fn deliver_at_once(&mut self, cx: &Context<'_>) -> bool {
        let (Upload::One(message), Some(_turn)) = (&mut self.upload, self.session.try_turn())
        else {
            return false;
        };
        let link = self.session.link();
        let has_space = link.poll_space(cx).is_ready();
        if has_space {
            let mut tally = Tally::default();
            tally.receive(message.len());
            link.counters().add(link.info().transport(), &mut tally);
            link.deliver(std::mem::take(message).into(), None);
        }
        has_space
    }

    /// A service that is behind makes the client wait, and what it sends meanwhile wait behind
    /// that. A closed session drops what comes.
    async fn deliver(self) {
        let link = self.session.link();
        let _turn = self.session.turn().await;
        let mut tally = Tally::default();
        for message in self.upload {
            poll_fn(|cx| link.poll_space(cx)).await;
            tally.receive(message.len());
            link.counters().add(link.info().transport(), &mut tally);
            link.deliver(message.into(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use futures_util::FutureExt as _;
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::session::Socket;
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
