//! The `d` field of a JSONP upload, which comes as a form.

use alloc::string::String;
use alloc::vec::Vec;
/// The value of the field `name` in an `application/x-www-form-urlencoded` text or a query string.
/// Bytes that are no UTF-8 become U+FFFD.
#[must_use]
pub fn form_field(form: &[u8], name: &str) -> Option<String> {
    form.split(|&byte| byte == b'&').find_map(|pair| {
        let split = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
        let value = pair.get(split + 1..).unwrap_or_default();
        (decode(&pair[..split]) == name.as_bytes())
            .then(|| String::from_utf8_lossy(&decode(value)).into_owned())
    })
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, hex_pair(behind)) {
            (b'+', _) => out.push(b' '),
            (b'%', Some(decoded)) => {
                out.push(decoded);
                rest = &behind[2..];
            }
            _ => out.push(byte),
        }
    }
    out
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(*text.first()?)? * 16 + digit(*text.get(1)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        assert_eq!(form_field(b"t=1&d=%5B%22a+b%22%5D", "d").as_deref(), Some("[\"a b\"]"));
        assert_eq!(form_field(b"d=%c3%bc%", "d").as_deref(), Some("ü%"));
        assert_eq!(form_field(b"d", "d").as_deref(), Some(""));
        assert_eq!(form_field(b"d=%ff", "d").as_deref(), Some("\u{fffd}"));
        assert_eq!(form_field(b"dd=1&e", "d"), None);
    }
}
