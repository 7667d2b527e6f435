//! The one HTTP response that a session feeds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use bytestring::ByteString;
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::sockjs;

use super::life::Attach;
use super::outbox::{Closing, Taken};
use super::{Outgoing, Session, Tally};

/// Takes frames out of a session. Dropped before [`Receiver::finish`], it ends the session: the
/// client has gone.
#[derive(Debug)]
pub(crate) struct Receiver {
    session: Option<Arc<Session>>,
    owes_open: bool,
    /// Empty between polls; its memory is what the outbox goes on with.
    batch: VecDeque<Outgoing>,
}

/// A frame for the client.
#[derive(Debug)]
pub(crate) enum Received {
    Frame(ByteString),
    /// The close frame: the response ends with it.
    Last(ByteString),
}

impl Receiver {
    pub(super) fn new(session: Arc<Session>, attach: Attach) -> Self {
        let owes_open = attach == Attach::First;
        Self { session: Some(session), owes_open, batch: VecDeque::new() }
    }

    /// Ready with the next frame; messages that wait are joined in one.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if std::mem::take(&mut self.owes_open) {
            return frame(ByteString::from_static(sockjs::OPEN));
        }
        let Some(session) = &self.session else {
            return Poll::Pending;
        };
        let batch = &mut self.batch;
        match session.link().take(batch, 0, cx) {
            Taken::Messages => {
                let mut tally = Tally::default();
                batch.iter().for_each(|message| tally.send(message.text_len()));
                session.link().counters().add(session.link().info().transport(), &mut tally);
                let sent = batch.iter().map(Outgoing::cost).sum();
                session.link().settle(sent);
                tracing::trace!(messages = batch.len(), "frame sent");
                let joined = joined(batch);
                batch.clear();
                frame(joined)
            }
            Taken::Closing(closing) => Poll::Ready(Received::Last(close_frame(&closing))),
            Taken::Gone => Poll::Ready(Received::Last(interrupted())),
            Taken::Empty if session.take_heartbeat() => {
                frame(ByteString::from_static(sockjs::HEARTBEAT))
            }
            Taken::Empty => Poll::Pending,
        }
    }

    /// The server has ended the response; the session waits for the next receiver.
    pub(crate) fn finish(mut self) {
        if let Some(session) = self.session.take() {
            session.handle_ended();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.handle_lost();
        }
    }
}

fn frame(text: ByteString) -> Poll<Received> {
    Poll::Ready(Received::Frame(text))
}

fn joined(batch: &VecDeque<Outgoing>) -> ByteString {
    if let [only] = batch.as_slices().0
        && batch.len() == 1
    {
        return text(only.frame().clone());
    }
    let length: usize = batch.iter().map(|message| message.quoted().len() + 1).sum();
    let mut frame = Vec::with_capacity(length + 2);
    frame.extend_from_slice(b"a[");
    for (index, message) in batch.iter().enumerate() {
        if index > 0 {
            frame.push(b',');
        }
        frame.extend_from_slice(message.quoted());
    }
    frame.push(b']');
    text(frame.into())
}

/// Frames are made of texts.
fn text(frame: Bytes) -> ByteString {
    ByteString::try_from(frame).unwrap_or_default()
}

/// For a receiver that was too slow to learn why its session closed.
fn interrupted() -> ByteString {
    let Close { code, reason, .. } = Close::INTERRUPTED;
    sockjs::close_frame(code, reason).into()
}

fn close_frame(closing: &Closing) -> ByteString {
    sockjs::close_frame(closing.code, &closing.reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_messages_are_joined() {
        let batch = VecDeque::from([Outgoing::from("a"), "b\n".into()]);
        assert_eq!(joined(&batch), r#"a["a","b\n"]"#);
        assert_eq!(joined(&VecDeque::from([Outgoing::from("a")])), r#"a["a"]"#);
    }
}
