//! Where operators look, and what they have to show.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::ConfigError;

/// Shortest token that is taken: one that can be guessed is worse than none.
const SHORTEST_TOKEN: usize = 16;

/// Entries that the bus gives at a time.
const LONGEST_PAGE: usize = 1000;

/// The admin listener and what goes where. By default there is none, and load balancers find the
/// two probes on the main listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Address and port of the admin listener: none. Beyond loopback it needs a token.
    pub listen: Option<SocketAddr>,
    /// What `Authorization: Bearer` must carry for everything but the probes: none. At least 16
    /// bytes. Best given as `TROLLEYBUS_ADMIN__TOKEN` or by `token_file`.
    pub token: Option<Secret>,
    /// File that holds the token; white space around it is dropped: none.
    pub token_file: Option<PathBuf>,
    /// Serve the metrics and the API below `/admin` of the main listener too: false. Needs a token.
    pub on_server: bool,
    /// Serve `/healthz` and `/readyz` on the main listener too: true.
    pub probes_on_server: bool,
    /// Most entries of one page of the API, up to 1000: 1000.
    pub max_page: usize,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            listen: None,
            token: None,
            token_file: None,
            on_server: false,
            probes_on_server: true,
            max_page: 1000,
        }
    }
}

impl AdminConfig {
    /// Checks that the values make sense together.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=LONGEST_PAGE).contains(&self.max_page) {
            let problem = format!("must be between 1 and {LONGEST_PAGE}");
            return Err(ConfigError::new("max_page", problem));
        }
        if self.token.is_some() && self.token_file.is_some() {
            return Err(ConfigError::new("token_file", "is one too many: there is a `token`"));
        }
        if self.token.as_ref().is_some_and(|token| token.reveal().len() < SHORTEST_TOKEN) {
            return Err(too_short("token"));
        }
        let has_token = self.token.is_some() || self.token_file.is_some();
        if let Some(listen) = self.listen.filter(|listen| !listen.ip().is_loopback())
            && !has_token
        {
            let problem = format!("is {listen}, which others reach; set `token_file` or `token`");
            return Err(ConfigError::new("listen", problem));
        }
        if self.on_server && !has_token {
            return Err(ConfigError::new("on_server", "needs `token_file` or `token`"));
        }
        Ok(())
    }

    /// The token, read from its file if it is in one.
    ///
    /// # Errors
    /// When the file cannot be read, or what it holds is too short.
    pub fn read_token(&self) -> Result<Option<Secret>, ConfigError> {
        let Some(file) = &self.token_file else {
            return Ok(self.token.clone());
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            ConfigError::new("token_file", format!("{} cannot be read: {error}", file.display()))
        })?;
        let token = text.trim();
        if token.len() < SHORTEST_TOKEN {
            return Err(too_short("token_file"));
        }
        Ok(Some(Secret::new(token)))
    }
}

fn too_short(key: &str) -> ConfigError {
    ConfigError::new(key, format!("must hold at least {SHORTEST_TOKEN} bytes"))
}

/// A text that is neither logged nor shown: whoever prints or serializes it gets `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What stands for a secret.
pub(super) const REDACTED: &str = "[redacted]";

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(REDACTED)
    }
}

/// An error about a wrong type must not repeat the value, as serde's own errors do.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom(NOT_A_TEXT))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom(NOT_A_TEXT))
            }

            fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Secret, E> {
                Err(E::custom(NOT_A_TEXT))
            }
        }

        from.deserialize_any(Text).map_err(D::Error::custom)
    }
}

const NOT_A_TEXT: &str = "must be a text; put quotes around it";

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef";

    fn key_of(config: &AdminConfig) -> Option<String> {
        config.validate().err().map(|error| error.key)
    }

    #[test]
    fn beyond_loopback_a_token_is_needed() {
        let mut config = AdminConfig { listen: "127.0.0.1:0".parse().ok(), ..Default::default() };
        assert_eq!(key_of(&config), None);
        config.listen = "0.0.0.0:8081".parse().ok();
        assert_eq!(key_of(&config).as_deref(), Some("listen"));
        config.token = Some(Secret::new("short"));
        assert_eq!(key_of(&config).as_deref(), Some("token"));
        config.token = Some(Secret::new(LONG));
        assert_eq!(key_of(&config), None);
        config.token_file = Some("token".into());
        assert_eq!(key_of(&config).as_deref(), Some("token_file"));
    }

    #[test]
    fn the_main_listener_needs_a_token() {
        let mut config = AdminConfig { on_server: true, ..Default::default() };
        assert_eq!(key_of(&config).as_deref(), Some("on_server"));
        config.token = Some(Secret::new(LONG));
        assert_eq!(key_of(&config), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        let config = AdminConfig { token: Some(Secret::new(LONG)), ..Default::default() };
        assert!(!format!("{config:?}").contains(LONG));
        assert!(!serde_json::to_string(&config).is_ok_and(|text| text.contains(LONG)));
        let wrong =
            toml::from_str::<AdminConfig>("token = 1234567890123456").map_err(|e| e.to_string());
        assert!(wrong.is_err_and(|error| error.contains(NOT_A_TEXT)));
    }
}
