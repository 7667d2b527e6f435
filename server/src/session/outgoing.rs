//! A message to send, encoded and compressed once however many receivers it has.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;
use trolleybus_protocol::envelope::RecFrame;
use trolleybus_protocol::{json, sockjs};

/// What one queued message costs besides its text: the queue's slot and the shared allocation.
const OVERHEAD: usize = 64;

/// A message to send. Clones share the text and its SockJS frame, each made when it is first asked
/// for unless the message came as that.
#[derive(Clone)]
pub struct Outgoing(Arc<Shared>);

struct Shared {
    form: Form,
    deflated: OnceLock<Box<Deflated>>,
}

enum Form {
    Text { text: ByteString, frame: OnceLock<Bytes> },
    Frame { frame: Bytes, text_len: usize, text: OnceLock<ByteString> },
}

/// The same compressed, where that pays.
#[derive(Default)]
struct Deflated {
    text: OnceLock<Option<Bytes>>,
    frame: OnceLock<Option<Bytes>>,
}

impl Outgoing {
    /// A message that is at hand as its frame, `a["..."]` with one message; `text_len` is how long
    /// the message in it is.
    pub(crate) fn from_frame(frame: impl Into<Bytes>, text_len: usize) -> Self {
        let (frame, text) = (frame.into(), OnceLock::new());
        Self::new(Form::Frame { frame, text_len, text })
    }

    fn new(form: Form) -> Self {
        Self(Arc::new(Shared { form, deflated: OnceLock::new() }))
    }

    /// The message.
    #[must_use]
    pub fn text(&self) -> &ByteString {
        match &self.0.form {
            Form::Text { text, .. } => text,
            Form::Frame { frame, text, .. } => text.get_or_init(|| text_of(frame)),
        }
    }

    /// How long the message is, in bytes.
    #[must_use]
    pub fn text_len(&self) -> usize {
        match &self.0.form {
            Form::Text { text, .. } => text.len(),
            Form::Frame { text_len, .. } => *text_len,
        }
    }

    /// The frame `a["..."]`, in UTF-8.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        match &self.0.form {
            Form::Text { text, frame } => frame.get_or_init(|| sockjs::message_frame(text).into()),
            Form::Frame { frame, .. } => frame,
        }
    }

    /// The text compressed by `deflate`, which says itself whether that pays.
    pub(crate) fn deflated_text(
        &self,
        deflate: impl FnOnce(&[u8]) -> Option<Bytes>,
    ) -> Option<Bytes> {
        self.deflated().text.get_or_init(|| deflate(self.text().as_bytes())).clone()
    }

    /// The frame compressed by `deflate`, which says itself whether that pays.
    pub(crate) fn deflated_frame(
        &self,
        deflate: impl FnOnce(&[u8]) -> Option<Bytes>,
    ) -> Option<Bytes> {
        self.deflated().frame.get_or_init(|| deflate(self.frame())).clone()
    }

    fn deflated(&self) -> &Deflated {
        self.0.deflated.get_or_init(Box::default)
    }

    /// The frame, to be sent: that of the last holder is given away, not shared once more.
    #[inline]
    pub(crate) fn into_frame(self) -> Bytes {
        if Arc::strong_count(&self.0) > 1 {
            return self.frame().clone();
        }
        match Arc::try_unwrap(self.0).map(|shared| shared.form) {
            Ok(Form::Frame { frame, .. }) => frame,
            Ok(Form::Text { text, frame }) => {
                frame.into_inner().unwrap_or_else(|| sockjs::message_frame(&text).into())
            }
            Err(shared) => Self(shared).frame().clone(),
        }
    }

    /// The message as a JSON string, a part of the frame.
    #[must_use]
    pub fn quoted(&self) -> &[u8] {
        sockjs::quoted_of(self.frame())
    }

    /// What the message counts in an outbox.
    pub(crate) fn cost(&self) -> usize {
        self.text_len() + OVERHEAD
    }
}

fn text_of(frame: &[u8]) -> ByteString {
    let quoted = std::str::from_utf8(sockjs::quoted_of(frame)).unwrap_or_default();
    json::unquote(quoted).map(|text| text.as_ref().into()).unwrap_or_default()
}

impl From<ByteString> for Outgoing {
    fn from(text: ByteString) -> Self {
        Self::new(Form::Text { text, frame: OnceLock::new() })
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        ByteString::from(text).into()
    }
}

impl From<&'static str> for Outgoing {
    fn from(text: &'static str) -> Self {
        ByteString::from_static(text).into()
    }
}

impl From<RecFrame> for Outgoing {
    fn from(RecFrame { frame, text_len }: RecFrame) -> Self {
        Self::from_frame(frame, text_len)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("length", &self.text_len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_frame() {
        let message = Outgoing::from("a\"b".to_owned());
        let copy = message.clone();
        assert_eq!(message.frame(), &br#"a["a\"b"]"#[..]);
        assert_eq!(copy.frame().as_ptr(), message.frame().as_ptr());
        assert_eq!(copy.quoted(), br#""a\"b""#);
        assert_eq!(copy.into_frame().as_ptr(), message.frame().as_ptr());
        assert_eq!(message.into_frame(), &br#"a["a\"b"]"#[..]);
    }

    #[test]
    fn clones_share_one_compressed_form_each_of_text_and_frame() {
        let message = Outgoing::from("text");
        let copy = message.clone();
        let text = message.deflated_text(|text| Some(Bytes::copy_from_slice(&text[..2])));
        assert_eq!(text.as_deref(), Some(&b"te"[..]));
        assert_eq!(copy.deflated_text(|_| panic!("is compressed already")), text);
        assert_eq!(copy.deflated_frame(|frame| (frame.len() > 99).then(Bytes::new)), None);
        assert_eq!(message.deflated_frame(|_| panic!("is known not to pay")), None);
    }

    #[test]
    fn a_message_that_came_as_its_frame_has_the_text_of_it() {
        let message = Outgoing::from_frame(&br#"a["a\"b"]"#[..], 3);
        assert_eq!((message.text().as_ref(), message.text_len()), ("a\"b", 3));
        assert_eq!(message.clone().text().as_ptr(), message.text().as_ptr());
    }
}
