//! The golden vectors of `vectors/sockjs.json`, which JavaScript reads too.

use alloc::string::String;
use alloc::vec::Vec;
use serde_json::Value;

use super::{Endpoint, Frame, Upload, UploadError, close_frame, encode_upload, form_field};
use super::{message_frame, wrap};

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn texts(case: &Value) -> Vec<&str> {
    let messages = case["messages"].as_array().unwrap_or_else(|| panic!("messages of {case}"));
    messages.iter().filter_map(Value::as_str).collect()
}

fn code(case: &Value) -> u16 {
    case["code"].as_u64().and_then(|code| code.try_into().ok()).unwrap()
}

fn frame(case: &Value) {
    let expected = match text(case, "type") {
        "open" => Some(Frame::Open),
        "heartbeat" => Some(Frame::Heartbeat),
        "messages" => Some(Frame::Messages(texts(case).into_iter().map(Into::into).collect())),
        "close" => Some(Frame::Close { code: code(case), reason: text(case, "reason").into() }),
        _ => None,
    };
    assert_eq!(Frame::parse(text(case, "text")).ok(), expected, "{case}");
}

fn upload(case: &Value, parse: fn(&str) -> Result<Upload, UploadError>) {
    match parse(text(case, "text")) {
        Ok(upload) => assert_eq!(upload.into_iter().collect::<Vec<_>>(), texts(case), "{case}"),
        Err(UploadError::BrokenJson) => assert_eq!(case["error"], "broken_json", "{case}"),
        Err(UploadError::PayloadExpected) => {
            assert_eq!(case["error"], "payload_expected", "{case}");
        }
    }
}

fn path(case: &Value) {
    let parsed = Endpoint::parse(text(case, "path"));
    let name = parsed.map(|endpoint| match endpoint {
        Endpoint::Greeting => "greeting",
        Endpoint::Info => "info",
        Endpoint::Iframe => "iframe",
        Endpoint::RawWebSocket => "raw_websocket",
        Endpoint::Session { endpoint, .. } => endpoint.as_str(),
    });
    assert_eq!(name, case["endpoint"].as_str(), "{case}");
    if let Some(Endpoint::Session { server, session, .. }) = parsed {
        assert_eq!((server, session), (text(case, "server"), text(case, "session")), "{case}");
    }
}

fn packed(case: &Value) {
    let mut out = String::new();
    let frame = text(case, "frame");
    match text(case, "transport") {
        "eventsource" => wrap::event_source(&mut out, frame),
        "htmlfile" => wrap::html_file(&mut out, frame),
        "jsonp-polling" => wrap::jsonp(&mut out, text(case, "callback"), frame),
        _ => wrap::xhr(&mut out, frame),
    }
    assert_eq!(out, text(case, "packed"), "{case}");
}

#[test]
fn golden_vectors_hold() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../vectors/sockjs.json")).unwrap();
    for case in &cases {
        match text(case, "kind") {
            "message_frame" => {
                assert_eq!(message_frame(text(case, "message")), text(case, "frame"));
            }
            "close_frame" => {
                assert_eq!(close_frame(code(case), text(case, "reason")), text(case, "frame"));
            }
            "frame" => frame(case),
            "upload_body" => upload(case, Upload::parse_body),
            "upload_frame" => upload(case, Upload::parse_frame),
            "encode_upload" => assert_eq!(encode_upload(texts(case)), text(case, "text")),
            "path" => path(case),
            "wrap" => packed(case),
            "form" => {
                let field = form_field(text(case, "form").as_bytes(), "d");
                assert_eq!(field.as_deref(), case["d"].as_str(), "{case}");
            }
            other => panic!("unknown kind {other}"),
        }
    }
}
