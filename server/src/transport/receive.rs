//! A session's receiver as a response: one frame when polled, many when streamed.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::sockjs::{Transport, close_frame};

use super::answer::Answer;
use super::call::Call;
use super::headers::Reply;
use crate::session::{Attached, Received, Receiver};

/// How a transport packs frames.
pub(super) trait Framing: Send + Unpin + 'static {
    const TRANSPORT: Transport;
    /// How many bytes packing adds to most frames.
    const AROUND: usize = 32;

    /// What a streamed response starts with.
    fn prelude(&self) -> Bytes {
        Bytes::new()
    }

    fn pack(&self, out: &mut String, frame: &str);

    fn packed(&self, frame: &str) -> Bytes {
        let mut out = String::with_capacity(frame.len() + Self::AROUND);
        self.pack(&mut out, frame);
        out.into()
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a>;
}

/// Answers with the next frame of the session, or with what waits for it.
pub(super) fn poll<F: Framing>(
    call: &Call,
    session: &str,
    framing: F,
    cx: &mut Context<'_>,
) -> Answer {
    if call.is_disabled(F::TRANSPORT) {
        return call.reply().not_found().into();
    }
    let mut receiver = match call.service.attach(session, || call.link(F::TRANSPORT)) {
        Attached::Refused => return call.reply().unavailable().into(),
        Attached::Busy => return framing.head(call.reply()).ok(framing.packed(&busy())).into(),
        Attached::Receiver(receiver) => receiver,
    };
    match receiver.poll_frame(cx) {
        Poll::Ready(received) => last_of_poll(receiver, &received, &framing, call.reply()).into(),
        Poll::Pending => {
            let asker = call.asker();
            Answer::Waiting(Box::pin(async move {
                let received = poll_fn(|cx| receiver.poll_frame(cx)).await;
                last_of_poll(receiver, &received, &framing, asker.reply())
            }))
        }
    }
}

/// A polled receiver ends with its first frame.
fn last_of_poll<F: Framing>(
    receiver: Receiver,
    received: &Received,
    framing: &F,
    reply: Reply<'_>,
) -> Response {
    receiver.finish();
    let (Received::Frame(frame) | Received::Last(frame)) = received;
    framing.head(reply).ok(framing.packed(frame))
}

/// Answers with a stream of frames.
pub(super) fn stream<F: Framing>(call: &Call, session: &str, framing: F) -> Answer {
    if call.is_disabled(F::TRANSPORT) {
        return call.reply().not_found().into();
    }
    let (receiver, farewell) = match call.service.attach(session, || call.link(F::TRANSPORT)) {
        Attached::Refused => return call.reply().unavailable().into(),
        Attached::Busy => (None, Some(framing.packed(&busy()))),
        Attached::Receiver(receiver) => (Some(receiver), None),
    };
    let head = framing.head(call.reply());
    let remaining = call.options().response_limit;
    let prelude = Some(framing.prelude());
    Answer::Streaming(head.ok(Body::new(Stream {
        framing,
        prelude,
        farewell,
        receiver,
        remaining,
    })))
}

fn busy() -> String {
    close_frame(Close::BUSY.code, Close::BUSY.reason)
}

/// A streamed body: each frame is one piece of it, and so one HTTP chunk.
struct Stream<F> {
    framing: F,
    prelude: Option<Bytes>,
    farewell: Option<Bytes>,
    receiver: Option<Receiver>,
    remaining: usize,
}

impl<F: Framing> http_body::Body for Stream<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(piece) = this.prelude.take().or_else(|| this.farewell.take()) {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let Some(receiver) = &mut this.receiver else {
            return Poll::Ready(None);
        };
        let received = ready!(receiver.poll_frame(cx));
        let (Received::Frame(frame) | Received::Last(frame)) = &received;
        let piece = this.framing.packed(frame);
        this.remaining = this.remaining.saturating_sub(piece.len());
        if this.remaining == 0 || matches!(received, Received::Last(_)) {
            this.receiver.take().into_iter().for_each(Receiver::finish);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
