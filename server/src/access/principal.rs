//! Who stands behind a connection.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, Value};

/// Who stands behind a connection, as far as somebody trusted has said so.
///
/// ```
/// # use trolleybus::access::Principal;
/// let principal = Principal::new("ada").with_authority("clerk");
/// assert_eq!(principal.subject(), Some("ada"));
/// assert!(principal.holds("clerk"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Principal {
    claims: Map<String, Value>,
    authorities: BTreeSet<String>,
    expires_at: Option<SystemTime>,
}

impl Principal {
    /// A principal of this name, its claim `sub`.
    pub fn new(subject: impl Into<String>) -> Self {
        let claims = Map::from_iter([("sub".to_owned(), Value::String(subject.into()))]);
        Self { claims, ..Self::default() }
    }

    /// A principal with the claims of a token.
    #[must_use]
    pub fn from_claims(claims: Map<String, Value>) -> Self {
        Self { claims, ..Self::default() }
    }

    /// Adds an authority.
    #[must_use]
    pub fn with_authority(mut self, authority: impl Into<String>) -> Self {
        self.authorities.insert(authority.into());
        self
    }

    /// Adds authorities.
    #[must_use]
    pub fn with_authorities(mut self, authorities: impl IntoIterator<Item = String>) -> Self {
        self.authorities.extend(authorities);
        self
    }

    /// Says until when it holds.
    #[must_use]
    pub fn expiring_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// The claim `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Value::as_str)
    }

    /// All claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The text of a claim, `org.id` for one within an object: a string that is not empty, a number
    /// or a boolean. A claim whose own name holds the dots goes first.
    #[must_use]
    pub fn claim(&self, path: &str) -> Option<Cow<'_, str>> {
        let value = self.claims.get(path).or_else(|| {
            let mut names = path.split('.');
            let first = self.claims.get(names.next()?)?;
            names.try_fold(first, |value, name| value.get(name))
        })?;
        match value {
            Value::String(text) if !text.is_empty() => Some(text.into()),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Bool(flag) => Some(flag.to_string().into()),
            _ => None,
        }
    }

    /// Whether it holds an authority.
    #[must_use]
    pub fn holds(&self, authority: &str) -> bool {
        self.authorities.contains(authority)
    }

    /// Until when it holds, if not for ever.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_found_by_path_and_only_plain_ones_have_a_text() {
        let claims =
            json!({"sub": "ada", "org": {"id": 7}, "https://x.y/z": true, "e": "", "l": []});
        let principal = Principal::from_claims(claims.as_object().unwrap().clone());
        assert_eq!(principal.claim("org.id").as_deref(), Some("7"));
        assert_eq!(principal.claim("https://x.y/z").as_deref(), Some("true"));
        for path in ["org", "org.name", "e", "l", "sub.x", ""] {
            assert_eq!(principal.claim(path), None, "{path}");
        }
    }
}
