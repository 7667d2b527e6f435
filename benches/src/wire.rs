//! Steps of the protocol: what is done to the bytes of a message on its way in and out.

use std::hint::black_box;

use trolleybus_protocol::envelope::{
    ClientEnvelope, RecExtras, rec_to_json, rec_with_extras_to_frame,
};
use trolleybus_protocol::sockjs::{Upload, encode_upload, message_frame};
use trolleybus_protocol::{Body, ByteString, Headers};

use super::Step;

const ADDRESS: &str = "user.42.inbox";

/// A body of so many bytes, like text with something to escape now and then.
fn body(bytes: usize) -> String {
    let text = r#"twenty characters\n. "#.chars().cycle().take(bytes.saturating_sub(12));
    format!("\"{}\"", text.collect::<String>().trim_end_matches('\\'))
}

fn publish(bytes: usize) -> String {
    format!(r#"{{"type":"publish","address":"{ADDRESS}","headers":{{}},"body":{}}}"#, body(bytes))
}

pub(super) fn decode_frame() -> Step {
    let frame = encode_upload([publish(100).as_str()]);
    Box::new(move || drop(black_box(Upload::parse_frame(black_box(&frame)))))
}

fn parse(envelope: String) -> Step {
    let envelope = ByteString::from(envelope);
    assert!(ClientEnvelope::parse(&envelope).is_ok(), "the step would measure a refusal");
    Box::new(move || drop(black_box(ClientEnvelope::parse(black_box(&envelope)))))
}

pub(super) fn parse_publish() -> Step {
    parse(publish(100))
}

pub(super) fn parse_large_request() -> Step {
    parse(format!(
        r#"{{"type":"send","address":"{ADDRESS}","replyAddress":"1234","body":{}}}"#,
        body(16 * 1024)
    ))
}

fn encode(headers: Headers) -> Step {
    let body = Body::from_json(body(100)).expect("invariant: it is JSON");
    Box::new(move || drop(black_box(rec_to_json(ADDRESS, black_box(&body), &headers, None))))
}

pub(super) fn encode_rec() -> Step {
    encode(Headers::new())
}

pub(super) fn encode_rec_with_headers() -> Step {
    let mut headers = Headers::new();
    for (name, value) in [("content-language", "en"), ("priority", "9")] {
        headers.append(name, value).expect("invariant: it is a header");
    }
    encode(headers)
}

pub(super) fn encode_rec_frame() -> Step {
    let body = Body::from_json(body(100)).expect("invariant: it is JSON");
    let (headers, extras) = (Headers::new(), RecExtras::default());
    Box::new(move || {
        drop(black_box(rec_with_extras_to_frame(
            ADDRESS,
            black_box(&body),
            &headers,
            None,
            extras,
        )));
    })
}

fn quote(bytes: usize) -> Step {
    let body = Body::from_json(body(bytes)).expect("invariant: it is JSON");
    let rec = rec_to_json(ADDRESS, &body, &Headers::new(), None);
    Box::new(move || drop(black_box(message_frame(black_box(&rec)))))
}

pub(super) fn quote_small() -> Step {
    quote(100)
}

pub(super) fn quote_large() -> Step {
    quote(16 * 1024)
}
