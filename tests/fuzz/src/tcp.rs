//! Frames and envelopes of the TCP bridge.

use serde_json::Value;
use trolleybus_protocol::envelope::{
    ClientEnvelope, TcpEnvelope, TcpMessage, tcp_message_to_json, tcp_refusal_to_json,
};
use trolleybus_protocol::tcp::{Frames, InvalidFrameLength, push_frame};
use trolleybus_protocol::{Address, ByteString, Headers};

use crate::reader::Reader;

const LONGEST_FRAME: usize = 64;

/// However the network cuts a stream, the frames are the same, and so is the place where it is
/// out of step.
pub(crate) fn frames(data: &[u8]) {
    let mut reader = Reader(data);
    let size = 1 + reader.below(40);
    let wire = reader.0;
    let whole = read(wire, wire.len().max(1));
    let pieces = read(wire, size);
    assert_eq!(whole, pieces);
    let (texts, _) = whole;
    let mut again = Vec::new();
    texts.iter().for_each(|text| push_frame(&mut again, text));
    // U+FFFD is three bytes where there was one.
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    assert!(longest <= 3 * LONGEST_FRAME);
    let mut frames = Frames::new(longest);
    frames.buffer().extend_from_slice(&again);
    for text in &texts {
        assert_eq!(frames.next_frame().as_ref(), Ok(&Some(text.clone())));
    }
    assert!(frames.buffer().is_empty());
}

fn read(wire: &[u8], size: usize) -> (Vec<ByteString>, Option<InvalidFrameLength>) {
    let mut frames = Frames::new(LONGEST_FRAME);
    let mut texts = Vec::new();
    for piece in wire.chunks(size) {
        frames.buffer().extend_from_slice(piece);
        loop {
            match frames.next_frame() {
                Ok(Some(text)) => texts.push(text),
                Ok(None) => break,
                Err(error) => return (texts, Some(error)),
            }
        }
        assert!(frames.buffer().len() < LONGEST_FRAME + 4, "a whole frame was left waiting");
    }
    (texts, None)
}

/// What passes over TCP passes over SockJS as well, with the options taken out of its headers.
pub(crate) fn envelope(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let text = ByteString::from(text);
    let TcpEnvelope { envelope, .. } = match TcpEnvelope::parse(&text) {
        Ok(envelope) => envelope,
        Err(error) => {
            let label = error.reply_address.as_ref().map(Address::as_str);
            let told = tcp_refusal_to_json(error.refusal, label);
            let told: Value = serde_json::from_str(&told).expect("JSON");
            assert_eq!(told["address"].as_str(), label);
            return;
        }
    };
    assert!(ClientEnvelope::parse(&text).is_ok(), "{text:?}");
    for option in ["timeout", "localOnly", "codecName"] {
        assert_eq!(envelope.headers.get(option), None, "{text:?}");
    }
    let reply_address = envelope.reply_address.as_ref().map(Address::as_str);
    let message = TcpMessage {
        address: envelope.address.as_str(),
        body: &envelope.body,
        headers: &envelope.headers,
        reply_address,
        is_send: true,
        pattern: None,
    };
    let told: Value = serde_json::from_str(&tcp_message_to_json(message)).expect("JSON");
    assert_eq!(told["address"].as_str(), Some(envelope.address.as_str()));
    assert_eq!(told["replyAddress"].as_str(), reply_address);
    assert_eq!(told.get("body").is_none(), envelope.body.is_null());
    assert_eq!(names(&told["headers"]), distinct(&envelope.headers));
}

fn names(headers: &Value) -> usize {
    headers.as_object().map_or(0, serde_json::Map::len)
}

/// Names of headers differ in more than case.
fn distinct(headers: &Headers) -> usize {
    let mut names: Vec<String> =
        headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}
