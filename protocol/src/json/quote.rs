//! JSON strings: into quotes with the escapes that SockJS asks for, and out of them.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::part;
use super::scan::{
    HIGHS, JsonError, LONG_RUN, ONES, plain_block_at, special_bytes, word_at, zero_bytes,
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Quotes `text` as a JSON string.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

/// Appends `text` to `out` as a JSON string, quotes included.
///
/// Besides what JSON itself demands, the code points that browsers have been known to damage
/// are escaped as the SockJS protocol asks: U+200C-200F, U+2028-202F, U+2060-206F and
/// U+FFF0-FFFF, with lower-case hexadecimal digits.
pub fn quote_into(out: &mut String, text: &str) {
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push('"');
    let bytes = text.as_bytes();
    let (mut done, mut at) = (0, 0);
    while at < bytes.len() {
        at += unremarkable_prefix(&bytes[at..]);
        let Some(&byte) = bytes.get(at) else { break };
        let width = match byte {
            0..=0x1f | b'"' | b'\\' => 1,
            0xe2 | 0xef if is_damaged_by_browsers(&bytes[at..at + 3]) => 3,
            _ => {
                at += 1;
                continue;
            }
        };
        out.push_str(part(text, done..at));
        if width == 1 {
            push_escape(out, byte);
        } else {
            push_hex(out, code_point(&bytes[at..at + 3]));
        }
        at += width;
        done = at;
    }
    out.push_str(part(text, done..));
    out.push('"');
}

/// [`quote_into`] for a text that is known to need many escapes, such as JSON: copies a word at a
/// time instead of looking for runs, and leaves it to the caller to make a `String` of it.
pub(crate) fn quote_json_into(out: &mut Vec<u8>, json: &str) {
    out.push(b'"');
    escape_json_into(out, json);
    out.push(b'"');
}

/// [`quote_json_into`] without the quotes around it.
pub(crate) fn escape_json_into(out: &mut Vec<u8>, json: &str) {
    let bytes = json.as_bytes();
    let (mut at, mut run) = (0, 0);
    while at < bytes.len() {
        if let Some((word, chunk)) = word_at(bytes, at) {
            let marks = special_bytes(word) | (word & HIGHS);
            if marks == 0 {
                out.extend_from_slice(&chunk);
                at += 8;
                run += 8;
                while run >= LONG_RUN
                    && let Some(block) = plain_block_at(bytes, at)
                    && block.is_ascii()
                {
                    out.extend_from_slice(block);
                    at += 16;
                }
                continue;
            }
            run = 0;
            let shift = marks.trailing_zeros() - 7;
            let plain = (shift / 8) as usize;
            // What JSON is full of, quotes and backslashes, is escaped in the word itself.
            let special = word >> shift & 0xff;
            let is_simple = matches!(special, 0x22 | 0x5c) && plain < 7;
            let escaped = word & !(u64::MAX << shift) | (0x5c | special << 8) << shift;
            let (copied, kept) = if is_simple { (escaped, plain + 2) } else { (word, plain) };
            out.extend_from_slice(&copied.to_le_bytes());
            out.truncate(out.len() - 8 + kept);
            at += plain;
            if is_simple {
                at += 1;
                continue;
            }
        }
        let byte = bytes[at];
        at += 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0..=0x1f => {
                let mut escape = String::new();
                push_escape(&mut escape, byte);
                out.extend_from_slice(escape.as_bytes());
            }
            0xe2 | 0xef if is_damaged_by_browsers(&bytes[at - 1..at + 2]) => {
                let mut escape = String::new();
                push_hex(&mut escape, code_point(&bytes[at - 1..at + 2]));
                out.extend_from_slice(escape.as_bytes());
                at += 2;
            }
            plain => out.push(plain),
        }
    }
}

fn push_escape(out: &mut String, byte: u8) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0c => out.push_str("\\f"),
        other => push_hex(out, u16::from(other)),
    }
}

fn push_hex(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.push(char::from(HEX[usize::from(unit >> shift) & 0xf]));
    }
}

/// The code point of a three-byte UTF-8 sequence.
fn code_point(bytes: &[u8]) -> u16 {
    u16::from(bytes[0] & 0x0f) << 12 | u16::from(bytes[1] & 0x3f) << 6 | u16::from(bytes[2] & 0x3f)
}

fn is_damaged_by_browsers(bytes: &[u8]) -> bool {
    matches!(code_point(bytes), 0x200c..=0x200f | 0x2028..=0x202f | 0x2060..=0x206f | 0xfff0..)
}

/// Bytes at the front that are ASCII and need no escape, or a few fewer.
fn unremarkable_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        let marks = special_bytes(word) | (word & HIGHS);
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at
}

/// True when `text` stands in a JSON string as it is, also where that is quoted once more.
pub(crate) fn is_unremarkable(text: &str) -> bool {
    let rest = &text.as_bytes()[unremarkable_prefix(text.as_bytes())..];
    rest.iter().all(|byte| matches!(byte, 0x20..0x80) && !matches!(byte, b'"' | b'\\'))
}

/// The text of a JSON string. `raw` is the string as written, quotes included, as the walkers of
/// this module give it. Half a surrogate pair, legal in JSON and in no Rust string, becomes
/// U+FFFD.
///
/// # Errors
/// When `raw` is no JSON string.
pub fn unquote(raw: &str) -> Result<Cow<'_, str>, JsonError> {
    let not_a_string = JsonError { at: 0, reason: "expected a string" };
    let inner =
        raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(not_a_string)?;
    match before_backslash(inner) {
        all if all == inner.len() => Ok(Cow::Borrowed(inner)),
        first => unescape(inner, first).map(Cow::Owned),
    }
}

/// How many bytes stand before the first backslash. In a message inside a frame that is a word or
/// so, which a search made for long texts takes ten times as long to find.
fn before_backslash(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some((word, _)) = word_at(bytes, at) {
        let marks = zero_bytes(word ^ (ONES * 0x5c));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte != b'\\') {
        at += 1;
    }
    at
}

fn unescape(inner: &str, first: usize) -> Result<String, JsonError> {
    let mut out = String::with_capacity(inner.len());
    out.push_str(part(inner, ..first));
    let mut rest = part(inner, first..);
    while let Some(escape) = rest.strip_prefix('\\') {
        let bad = JsonError { at: inner.len() - rest.len() + 1, reason: "unknown escape" };
        let (character, length) = match escape.as_bytes().first().ok_or(bad)? {
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b't' => ('\t', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            &plain @ (b'"' | b'\\' | b'/') => (char::from(plain), 1),
            b'u' => unescape_unicode(escape).ok_or(bad)?,
            _ => return Err(bad),
        };
        out.push(character);
        rest = part(escape, length..);
        let run = before_backslash(rest);
        out.push_str(part(rest, ..run));
        rest = part(rest, run..);
    }
    Ok(out)
}

/// `escape` starts at the `u`; gives the character and how many bytes it took from there.
pub(super) fn unescape_unicode(escape: &str) -> Option<(char, usize)> {
    let unit = hex_unit(escape.get(1..5)?)?;
    if !(0xd800..0xdc00).contains(&unit) {
        return Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5));
    }
    let low = escape.get(5..11).and_then(|next| hex_unit(next.strip_prefix("\\u")?));
    match low {
        Some(low @ 0xdc00..=0xdfff) => {
            let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            Some((char::from_u32(scalar)?, 11))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 5)),
    }
}

fn hex_unit(digits: &str) -> Option<u32> {
    let mut digits = digits.chars();
    digits.try_fold(0, |unit, digit| Some(unit << 4 | digit.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sockjs_ranges_are_escaped_in_lower_case() {
        assert_eq!(quote("a\u{200c}\u{2028}\u{206f}\u{ffff}b"), r#""a\u200c\u2028\u206f\uffffb""#);
        assert_eq!(quote("\u{200b}\u{2030}\u{fff}\u{ffef}"), "\"\u{200b}\u{2030}\u{fff}\u{ffef}\"");
        assert_eq!(quote("\0\u{1f}\n\"\\"), r#""\u0000\u001f\n\"\\""#);
    }

    #[test]
    fn surrogates_are_joined_or_replaced() {
        assert_eq!(unquote(r#""\ud83d\ude00""#).unwrap(), "😀");
        assert_eq!(unquote(r#""\ud83dx""#).unwrap(), "\u{fffd}x");
        assert_eq!(unquote(r#""\ud83d\u0041""#).unwrap(), "\u{fffd}A");
        assert_eq!(unquote(r#""\ude00""#).unwrap(), "\u{fffd}");
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for raw in ["", "\"", "1", "\"\\\"", "\"\\u12g4\"", "\"\\u+123\"", "\"\\é\""] {
            assert!(unquote(raw).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn quoting_round_trips_and_is_json(text in any::<String>()) {
            let quoted = quote(&text);
            prop_assert_eq!(unquote(&quoted).unwrap(), text.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn both_ways_of_quoting_agree(text in any::<String>(), json in r#"[ -~"\\\\\n\u{2028}é]{0,60}"#) {
            for text in [text, json] {
                let mut out = Vec::new();
                quote_json_into(&mut out, &text);
                prop_assert_eq!(String::from_utf8(out).unwrap(), quote(&text));
            }
        }

        #[test]
        fn unquoting_agrees_with_serde_json(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquote(&quoted).unwrap(), text);
        }
    }
}
