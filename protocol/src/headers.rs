//! Message headers: a small multimap whose names ignore case.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::{fmt, iter};

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
        self.write_grouped(out, |out, mut values| {
            let first = values.next().unwrap_or_default();
            let Some(second) = values.next() else {
                return json::quote_into(out, first);
            };
            out.push('[');
            json::quote_into(out, first);
            for value in iter::once(second).chain(values) {
                out.push(',');
                json::quote_into(out, value);
            }
            out.push(']');
        });
    }

    /// Appends the JSON object as the TCP bridge has it: of several values of a name the last.
    pub(crate) fn write_last_values(&self, out: &mut String) {
        self.write_grouped(out, |out, values| {
            json::quote_into(out, values.last().unwrap_or_default());
        });
    }

    /// Appends an object with each name once, in the order in which the names first came.
    fn write_grouped(&self, out: &mut String, write_values: impl Fn(&mut String, Values<'_>)) {
        let links = Links::new(&self.0);
        let mut separator = '{';
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !links.is_first(&self.0, index) {
                continue;
            }
            out.push(separator);
            separator = ',';
            json::quote_into(out, name);
            out.push(':');
            write_values(out, Values { pairs: &self.0, links: &links, next: Some(index) });
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
    }
}

/// So few that looking through all of them beats preparing anything.
const FEW: usize = 16;

/// Which pairs have the same name. Whoever sends many headers must not make us compare each with
/// each.
enum Links {
    Few,
    /// For each pair, whether it is the first of its name, and the next one of that.
    Many(Vec<(bool, Option<usize>)>),
}

impl Links {
    fn new(pairs: &[(ByteString, ByteString)]) -> Self {
        if pairs.len() <= FEW {
            return Self::Few;
        }
        let mut sorted: Vec<usize> = (0..pairs.len()).collect();
        // Stable, so pairs of one name stay in their order.
        sorted.sort_by(|&a, &b| compare_names(&pairs[a].0, &pairs[b].0));
        let mut links = vec![(true, None); pairs.len()];
        for pair in sorted.windows(2) {
            if pairs[pair[0]].0.eq_ignore_ascii_case(&pairs[pair[1]].0) {
                links[pair[0]].1 = Some(pair[1]);
                links[pair[1]].0 = false;
            }
        }
        Self::Many(links)
    }

    fn is_first(&self, pairs: &[(ByteString, ByteString)], index: usize) -> bool {
        match self {
            Self::Few => !pairs[..index].iter().any(is_named(&pairs[index].0)),
            Self::Many(links) => links[index].0,
        }
    }

    fn next(&self, pairs: &[(ByteString, ByteString)], index: usize) -> Option<usize> {
        match self {
            Self::Few => {
                let next = pairs[index + 1..].iter().position(is_named(&pairs[index].0))?;
                Some(index + 1 + next)
            }
            Self::Many(links) => links[index].1,
        }
    }
}

fn is_named(name: &str) -> impl Fn(&(ByteString, ByteString)) -> bool {
    move |(other, _)| other.eq_ignore_ascii_case(name)
}

fn compare_names(a: &str, b: &str) -> Ordering {
    lower_case(a).cmp(lower_case(b))
}

fn lower_case(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// The values of one name.
struct Values<'a> {
    pairs: &'a [(ByteString, ByteString)],
    links: &'a Links,
    next: Option<usize>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let index = self.next?;
        self.next = self.links.next(self.pairs, index);
        Some(&self.pairs[index].1)
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
    fn many_are_grouped_as_few_are() {
        let pairs = |count: usize| {
            (0..count).map(|index| {
                let name = format!("{}{}", if index % 2 == 0 { "n" } else { "N" }, index % 7);
                (name, index.to_string())
            })
        };
        for count in [1, FEW, FEW + 1, 100] {
            let headers = Headers::try_from(pairs(count).collect::<Vec<_>>()).unwrap();
            let names: Vec<_> = pairs(count.min(7)).map(|(name, _)| name).collect();
            let fields = names.iter().map(|name| {
                let values: Vec<_> =
                    headers.get_all(name).map(|value| format!("\"{value}\"")).collect();
                let is_one = values.len() == 1;
                let values = values.join(",");
                format!("\"{name}\":{}", if is_one { values } else { format!("[{values}]") })
            });
            let expected = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
            assert_eq!(json(&headers), expected, "{count}");
        }
    }

    /// As many as fit into a message. Comparing each with each took forty seconds, unoptimized.
    #[test]
    fn very_many_are_grouped_quickly() {
        let pairs: Vec<_> = (0..30_000).map(|index| (index.to_string(), "")).collect();
        let headers = Headers::try_from(pairs).unwrap();
        let began = std::time::Instant::now();
        assert!(json(&headers).ends_with(r#""29999":""}"#));
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
    }

    #[test]
    fn the_last_value_counts_over_tcp() {
        let mut headers = Headers::try_from(vec![("a", "1"), ("b", "2"), ("A", "3")]).unwrap();
        for _ in 0..FEW {
            let mut out = String::new();
            headers.write_last_values(&mut out);
            assert_eq!(out, r#"{"a":"3","b":"2"}"#);
            headers.append("B", "2").unwrap();
        }
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
