//! Message headers: a small multimap whose names ignore case.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytestring::ByteString;

use crate::json::{self, Elements, Members};

/// Headers of a message, in the order in which they were added. Names compare without regard to
/// ASCII case and may stand more than once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(ByteString, ByteString)>);

/// Why text or a JSON value cannot be headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// The `headers` field holds something else than an object.
    NotAnObject,
    /// A name is empty or holds a control character.
    Name,
    /// A value is `null`, or holds NUL, CR or LF.
    Value,
}

impl HeaderError {
    /// The text for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotAnObject => "headers must be an object",
            Self::Name => "header name is empty or holds a control character",
            Self::Value => "header value is null or holds NUL, CR or LF",
        }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for HeaderError {}

impl Headers {
    /// No headers.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// All values under `name`.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matches = move |(key, _): &&(ByteString, ByteString)| key.eq_ignore_ascii_case(name);
        self.0.iter().filter(matches).map(|(_, value)| &**value)
    }

    /// All pairs of name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a value, beside others of that name.
    ///
    /// # Errors
    /// When the name is empty or holds a control character, or the value holds NUL, CR or LF.
    pub fn append(
        &mut self,
        name: impl Into<ByteString>,
        value: impl Into<ByteString>,
    ) -> Result<(), HeaderError> {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(HeaderError::Name);
        }
        if value.contains(['\0', '\r', '\n']) {
            return Err(HeaderError::Value);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Removes all values under `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Reads the `headers` field of an envelope. A string is one value. An array of strings is
    /// several values where `split_arrays` says so, as a receiver wants it; otherwise any value
    /// but a string is kept as its JSON text, as Vert.x does with what a client sends.
    ///
    /// # Errors
    /// As [`HeaderError`] lists. `raw` must be valid JSON.
    pub(crate) fn from_json(raw: &str, split_arrays: bool) -> Result<Self, HeaderError> {
        let mut headers = Self::new();
        if json::is_null(raw) {
            return Ok(headers);
        }
        let mut members = Members::new(raw).map_err(|_| HeaderError::NotAnObject)?;
        while let Ok(Some((name, value))) = members.next_member() {
            let name = json::unquote(name).map_err(|_| HeaderError::Name)?.into_owned();
            let name = ByteString::from(name);
            if split_arrays && value.starts_with('[') {
                headers.append_array(&name, value)?;
            } else {
                headers.append(name, text_of(value)?)?;
            }
        }
        Ok(headers)
    }

    fn append_array(&mut self, name: &ByteString, raw: &str) -> Result<(), HeaderError> {
        let mut elements = Elements::new(raw).map_err(|_| HeaderError::Value)?;
        while let Ok(Some(element)) = elements.next_element() {
            self.append(name.clone(), text_of(element)?)?;
        }
        Ok(())
    }

    /// Appends the JSON object: one value as a string, several under one name as an array.
    pub(crate) fn write_json(&self, out: &mut String) {
        let mut separator = '{';
        for (index, (name, _)) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                continue;
            }
            out.push(separator);
            separator = ',';
            json::quote_into(out, name);
            out.push(':');
            self.write_values(out, name);
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
    }

    /// Appends the JSON object as the TCP bridge has it: of several values of a name the last.
    pub(crate) fn write_last_values(&self, out: &mut String) {
        let mut separator = '{';
        for (index, (name, _)) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                continue;
            }
            out.push(separator);
            separator = ',';
            json::quote_into(out, name);
            out.push(':');
            json::quote_into(out, self.get_all(name).last().unwrap_or_default());
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
    }

    fn write_values(&self, out: &mut String, name: &str) {
        let several = self.get_all(name).nth(1).is_some();
        for (index, value) in self.get_all(name).enumerate() {
            if several {
                out.push(if index == 0 { '[' } else { ',' });
            }
            json::quote_into(out, value);
        }
        if several {
            out.push(']');
        }
    }
}

fn text_of(raw: &str) -> Result<ByteString, HeaderError> {
    if json::is_null(raw) {
        return Err(HeaderError::Value);
    }
    if raw.starts_with('"') {
        let text = json::unquote(raw).map_err(|_| HeaderError::Value)?;
        return Ok(text.into_owned().into());
    }
    Ok(raw.into())
}

impl<N: Into<ByteString>, V: Into<ByteString>> TryFrom<Vec<(N, V)>> for Headers {
    type Error = HeaderError;

    fn try_from(pairs: Vec<(N, V)>) -> Result<Self, HeaderError> {
        let mut headers = Self::new();
        for (name, value) in pairs {
            headers.append(name, value)?;
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(headers: &Headers) -> String {
        let mut out = String::new();
        headers.write_json(&mut out);
        out
    }

    #[test]
    fn several_values_become_an_array() {
        let headers = Headers::try_from(vec![("a", "1"), ("b", "2"), ("A", "3")]).unwrap();
        assert_eq!(json(&headers), r#"{"a":["1","3"],"b":"2"}"#);
        assert_eq!(json(&Headers::new()), "{}");
        assert_eq!(headers.get("B"), Some("2"));
    }

    #[test]
    fn values_from_clients_become_text() {
        let raw = r#"{"n":1.50,"t":true,"l":["a","b"],"o":{"x":1},"s":"t"}"#;
        let headers = Headers::from_json(raw, false).unwrap();
        let values: Vec<_> = headers.iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["1.50", "true", r#"["a","b"]"#, r#"{"x":1}"#, "t"]);
        assert_eq!(Headers::from_json(raw, true).unwrap().get_all("l").count(), 2);
    }

    #[test]
    fn bad_headers_are_named() {
        let error = |raw| Headers::from_json(raw, false).unwrap_err();
        assert_eq!(error("[]"), HeaderError::NotAnObject);
        assert_eq!(error(r#"{"a":null}"#), HeaderError::Value);
        assert_eq!(error(r#"{"a":"x\r\ny"}"#), HeaderError::Value);
        assert_eq!(error(r#"{"":"x"}"#), HeaderError::Name);
        assert_eq!(error("{\"a\\nb\":\"x\"}"), HeaderError::Name);
    }
}
