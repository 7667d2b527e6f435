//! The scanner against serde_json.

use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};
use trolleybus_protocol::json::{Elements, MAX_DEPTH, Members, quote, unquote, validate};

/// What one says is JSON the other says too, and walks and quotes agree on what is in it.
pub(crate) fn json(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let is_valid = validate(text).is_ok();
    let is_too_deep = depth(text) > usize::from(u8::try_from(MAX_DEPTH).unwrap_or(u8::MAX));
    if !is_too_deep {
        assert_eq!(is_valid, is_json(text), "{text:?}");
    }
    let (members, elements) = (members(text), elements(text));
    if is_valid {
        let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
        assert_eq!(members.is_some(), trimmed.starts_with('{'));
        assert_eq!(elements.is_some(), trimmed.starts_with('['));
        strings(trimmed);
    } else {
        assert!(members.is_none() && elements.is_none(), "walked over no JSON: {text:?}");
    }
    let quoted = quote(text);
    assert!(validate(&quoted).is_ok());
    assert_eq!(unquote(&quoted).as_deref(), Ok(text));
    assert_eq!(serde_json::from_str::<String>(&quoted).ok().as_deref(), Some(text));
}

fn is_json(text: &str) -> bool {
    let mut reader = Deserializer::from_str(text);
    reader.disable_recursion_limit();
    <&RawValue as serde::Deserialize>::deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// An upper bound.
fn depth(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count()
}

fn members(text: &str) -> Option<usize> {
    let mut members = Members::new(text).ok()?;
    let mut count = 0;
    while let Some((name, value)) = members.next_member().ok()? {
        assert!(unquote(name).is_ok() && validate(value).is_ok());
        count += 1;
    }
    Some(count)
}

fn elements(text: &str) -> Option<usize> {
    let mut elements = Elements::new(text).ok()?;
    let mut count = 0;
    while let Some(value) = elements.next_element().ok()? {
        assert!(validate(value).is_ok());
        count += 1;
    }
    if let Ok(Value::Array(theirs)) = serde_json::from_str::<Value>(text) {
        assert_eq!(theirs.len(), count);
    }
    Some(count)
}

/// One string: both read the same, but for half a surrogate pair, which only we let pass.
fn strings(text: &str) {
    if !text.starts_with('"') {
        return;
    }
    let ours = unquote(text).expect("a valid string");
    if let Ok(theirs) = serde_json::from_str::<String>(text) {
        assert_eq!(ours, theirs);
    } else {
        assert!(ours.contains('\u{fffd}'), "{text:?}");
    }
}
