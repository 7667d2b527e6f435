//! Message bodies: JSON as the text its author wrote.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::string::ToString;
use core::fmt;

use bytestring::ByteString;

use crate::json::{self, JsonError};

/// The body of a message: exactly one JSON value, kept as text and parsed by whoever reads it.
/// Cloning shares the text.
///
/// ```
/// use trolleybus_protocol::{Body, IntoBody};
///
/// let body = Body::from_json(r#" {"price": 1.10} "#)?;
/// assert_eq!(body.as_json(), r#"{"price": 1.10}"#);
/// assert_eq!("goal".into_body()?.as_json(), r#""goal""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Body(ByteString);

impl Body {
    /// The body `null`, which is also what an absent body means.
    #[must_use]
    pub const fn null() -> Self {
        Self(ByteString::from_static("null"))
    }

    /// Takes a JSON text; white space around the value is dropped, nothing else is changed.
    ///
    /// # Errors
    /// When the text is not exactly one JSON value.
    pub fn from_json(text: impl Into<ByteString>) -> Result<Self, JsonError> {
        let text = text.into();
        json::validate(&text)?;
        let value = text.trim_ascii();
        Ok(Self(text.slice_ref(value)))
    }

    /// Takes what another JSON writer has made, without a look at it: it must be exactly one JSON
    /// value, or the envelope that it goes into will be none.
    #[must_use]
    pub fn from_written(text: impl Into<ByteString>) -> Self {
        Self(text.into())
    }

    /// A body that is the JSON string of `text`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(json::quote(text).into())
    }

    /// For text that a walker of [`json`] has passed over already.
    pub(crate) fn from_scanned(text: ByteString) -> Self {
        Self(text)
    }

    /// The body as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The body's text when it is a JSON string.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        json::unquote(&self.0).ok()
    }

    /// True for `null`, and so for an absent body.
    #[must_use]
    pub fn is_null(&self) -> bool {
        json::is_null(&self.0)
    }

    /// Reads the body as a `T`.
    ///
    /// # Errors
    /// When the body's shape does not fit; the message says what was expected and where.
    #[cfg(feature = "serde")]
    pub fn parse<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, BodyError> {
        let mut json = serde_json::Deserializer::from_str(&self.0);
        serde_path_to_error::deserialize(&mut json).map_err(|error| BodyError(error.to_string()))
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a value is no body, or a body no such value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

impl From<JsonError> for BodyError {
    fn from(error: JsonError) -> Self {
        Self(error.to_string())
    }
}

/// What can be sent as a body: a [`Body`], or a reference to anything that serde can serialize
/// (feature `serde`), so that `"text"`, `&42` and `&my_struct` all work.
pub trait IntoBody {
    /// Turns the value into JSON text.
    ///
    /// # Errors
    /// When the value has no JSON form, such as a map whose keys are not strings.
    fn into_body(self) -> Result<Body, BodyError>;
}

impl IntoBody for Body {
    fn into_body(self) -> Result<Body, BodyError> {
        Ok(self)
    }
}

#[cfg(not(feature = "serde"))]
impl IntoBody for &str {
    fn into_body(self) -> Result<Body, BodyError> {
        Ok(Body::from_text(self))
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::{Body, BodyError, IntoBody};

    impl<T: serde::Serialize + ?Sized> IntoBody for &T {
        fn into_body(self) -> Result<Body, BodyError> {
            match serde_json::to_string(self) {
                Ok(text) => Ok(Body(text.into())),
                Err(error) => Err(BodyError(error.to_string())),
            }
        }
    }

    impl IntoBody for String {
        fn into_body(self) -> Result<Body, BodyError> {
            Ok(Body::from_text(&self))
        }
    }

    impl IntoBody for serde_json::Value {
        fn into_body(self) -> Result<Body, BodyError> {
            (&self).into_body()
        }
    }

    impl serde::Serialize for Body {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let raw: &serde_json::value::RawValue =
                serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_to_the_letter() {
        let body = Body::from_json("\n{\"n\": 1.10, \"big\": 123456789012345678901234567890}\t");
        let body = body.unwrap();
        assert_eq!(body.as_json(), "{\"n\": 1.10, \"big\": 123456789012345678901234567890}");
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert!(Body::from_json("{").is_err());
        assert!(Body::from_json("1 2").is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn typed_values_go_in_and_out() {
        let body = (&vec![1, 2]).into_body().unwrap();
        assert_eq!(body.parse::<Vec<u8>>().unwrap(), [1, 2]);
        let error = body.parse::<String>().unwrap_err();
        assert!(error.to_string().contains("expected a string"), "{error}");
        let error = body.parse::<(u8, bool)>().unwrap_err();
        assert!(error.to_string().starts_with("[1]: "), "{error}");
        assert_eq!((&body).into_body().unwrap(), body);
    }
}
