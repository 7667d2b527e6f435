//! Frames of the TCP bridge: a length of four bytes, big-endian and signed, and then the envelope.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Buf as _, Bytes, BytesMut};
use bytestring::ByteString;

/// Bytes of the length in front of each frame.
const PREFIX: usize = 4;

/// Takes bytes as the network gives them, and gives frames.
///
/// ```
/// use trolleybus_protocol::tcp::{Frames, push_frame};
///
/// let mut wire = Vec::new();
/// push_frame(&mut wire, "{}");
/// let mut frames = Frames::new(1024);
/// frames.buffer().extend_from_slice(&wire[..5]);
/// assert_eq!(frames.next_frame(), Ok(None));
/// frames.buffer().extend_from_slice(&wire[5..]);
/// assert_eq!(frames.next_frame(), Ok(Some("{}".into())));
/// ```
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    max_len: usize,
}

/// A length that is negative or over the limit. Where the next frame begins cannot be known, so the
/// connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes is negative or over the limit")]
pub struct InvalidFrameLength(pub i32);

impl Frames {
    /// Takes frames of at most `max_len` bytes, the length in front not counted.
    #[must_use]
    pub fn new(max_len: usize) -> Self {
        Self { buffer: BytesMut::new(), max_len }
    }

    /// Where bytes from the network are to be appended. What waits here is at most one frame and
    /// what came in with its last bytes, if [`Frames::next_frame`] is asked until it has no more.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next frame, if it is there as a whole. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// When its length cannot be right; the same again when asked again.
    pub fn next_frame(&mut self) -> Result<Option<ByteString>, InvalidFrameLength> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*prefix);
        let len = usize::try_from(length).ok().filter(|len| *len <= self.max_len);
        let len = len.ok_or(InvalidFrameLength(length))?;
        if self.buffer.len() - PREFIX < len {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(text_of(&self.buffer.split_to(len).freeze())))
    }
}

fn text_of(bytes: &Bytes) -> ByteString {
    // A clone shares the bytes.
    ByteString::try_from(bytes.clone())
        .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

/// Appends one frame. Texts over 2,147,483,647 bytes have no frame and must not come here.
pub fn push_frame(out: &mut Vec<u8>, text: &str) {
    let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Vec<ByteString> {
        core::iter::from_fn(|| frames.next_frame().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_they_are_cut(
            texts in prop::collection::vec(".{0,20}", 0..8),
            size in 1..40_usize,
        ) {
            let mut wire = Vec::new();
            texts.iter().for_each(|text| push_frame(&mut wire, text));
            let mut frames = Frames::new(100);
            let mut seen = Vec::new();
            for piece in wire.chunks(size) {
                frames.buffer().extend_from_slice(piece);
                seen.append(&mut all(&mut frames));
            }
            prop_assert_eq!(seen, texts);
            prop_assert!(frames.buffer().is_empty());
        }
    }

    #[test]
    fn a_length_is_refused_before_its_frame_is_there() {
        for length in [-1, i32::MIN, 9, i32::MAX] {
            let mut frames = Frames::new(8);
            frames.buffer().extend_from_slice(&length.to_be_bytes());
            for _ in 0..2 {
                assert_eq!(frames.next_frame(), Err(InvalidFrameLength(length)));
            }
        }
        let mut frames = Frames::new(8);
        frames.buffer().extend_from_slice(b"\0\0\0\x0812345678");
        assert_eq!(all(&mut frames), ["12345678"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_leave_the_stream_in_step() {
        let mut frames = Frames::new(8);
        frames.buffer().extend_from_slice(b"\0\0\0\x03a\xffb\0\0\0\0\0\0\0\x01c");
        assert_eq!(all(&mut frames), vec!["a\u{fffd}b", "", "c"]);
    }
}
