//! Frames, uploads, forms, paths and what packs frames into scripts and streams.

use trolleybus_protocol::sockjs::wrap::{event_source, html_file, is_callback, jsonp};
use trolleybus_protocol::sockjs::{
    Endpoint, Frame, Info, MAX_ID_LENGTH, Upload, encode_upload, form_field, message_frame,
};

pub(crate) fn frame(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    if let Ok(frame) = Frame::parse(text) {
        let again = Frame::parse(&frame.encode());
        if let (Frame::Close { reason, .. }, Ok(Frame::Close { reason: cut, .. })) =
            (&frame, &again)
        {
            assert!(reason.starts_with(cut.as_str()));
        } else {
            assert_eq!(again.as_ref(), Ok(&frame), "{text:?}");
        }
    }
    let framed = message_frame(text);
    assert_eq!(Frame::parse(&framed), Ok(Frame::Messages(vec![text.to_owned()])));
    let _ = Info::parse(text);
}

pub(crate) fn upload(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let theirs = serde_json::from_str::<Vec<String>>(text).ok();
    let body: Option<Vec<String>> =
        Upload::parse_body(text).ok().map(|it| it.into_iter().collect());
    let frame: Option<Vec<String>> =
        Upload::parse_frame(text).ok().map(|it| it.into_iter().collect());
    if let Some(theirs) = theirs {
        assert_eq!(body.as_ref(), Some(&theirs), "{text:?}");
        assert_eq!(frame.as_ref(), Some(&theirs), "{text:?}");
    }
    if let Some(body) = body {
        assert_eq!(frame.as_ref(), Some(&body));
        let again = Upload::parse_body(&encode_upload(body.iter().map(String::as_str)));
        assert_eq!(again.ok().map(|it| it.into_iter().collect::<Vec<_>>()), Some(body));
    }
}

pub(crate) fn form(data: &[u8]) {
    if let Some(value) = form_field(data, "d") {
        assert!(value.len() <= 3 * data.len());
    }
    let Some(text) = crate::text(data) else { return };
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("x=1&d={encoded}&y=");
    assert_eq!(form_field(form.as_bytes(), "d").as_deref(), Some(text));
}

pub(crate) fn path(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    if let Some(Endpoint::Session { server, session, endpoint }) = Endpoint::parse(text) {
        for id in [server, session] {
            assert!(
                (1..=MAX_ID_LENGTH).contains(&id.len()) && !id.contains(['/', '.']),
                "{text:?}"
            );
        }
        let straight = format!("/{server}/{session}/{}", endpoint.as_str());
        assert_eq!(text.strip_suffix('/').unwrap_or(text), straight);
    }
}

/// No message breaks out of its script or its event.
pub(crate) fn wrap(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let frame = message_frame(text);
    let mut page = String::new();
    html_file(&mut page, &frame);
    assert_eq!(page.matches('<').count(), 2, "{page:?}");
    let mut event = String::new();
    event_source(&mut event, &frame);
    assert_eq!(event.trim_end_matches(['\r', '\n']).matches(['\r', '\n']).count(), 0, "{event:?}");
    if is_callback(text) {
        let mut script = String::new();
        jsonp(&mut script, text, &frame);
        let call = script.strip_prefix("/**/").and_then(|rest| rest.strip_prefix(text));
        let literal = call.and_then(|rest| rest.strip_prefix('(')?.strip_suffix(");\r\n"));
        let read = serde_json::from_str::<String>(literal.expect("a call")).expect("a string");
        assert_eq!(read, frame);
        assert!(!text.contains(['(', ')', '<', '>', '\'', '"', '\\', '/', '\n', ' ', ';']));
    }
}
