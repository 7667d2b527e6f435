//! File, environment and flags into a configuration, with errors that say where and what is
//! allowed.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::config::Config;
use crate::access::ConfigError;

/// Environment variables with this prefix override the file:
/// `TROLLEYBUS_SERVER__LISTEN=0.0.0.0:80` is `server.listen`. Values are TOML, or else plain text.
pub const ENVIRONMENT_PREFIX: &str = "TROLLEYBUS_";

/// The commented example configuration, which holds the defaults.
pub const EXAMPLE: &str = include_str!("../../trolleybus.example.toml");

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML; the text shows the place.
    #[error("{}: {text}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, with line and column.
        text: String,
    },
    /// A key is unknown or a value has the wrong type.
    #[error("{origin}: `{key}`: {problem}")]
    Value {
        /// The file, and the environment if it says something.
        origin: String,
        /// The key.
        key: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A value makes no sense.
    #[error("{origin}: {error}")]
    Sense {
        /// The file, and the environment if it says something.
        origin: String,
        /// The key, and what is allowed.
        error: ConfigError,
    },
}

/// Reads the configuration: the file if there is one, what `environment` says over it, and what
/// `flags` says over that.
///
/// # Errors
/// When the file cannot be read, or a key or value is wrong; the error names the file and the key
/// and says what is allowed.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: impl FnOnce(&mut Config),
) -> Result<Config, LoadError> {
    let mut table = file.map_or_else(|| Ok(Table::new()), read)?;
    let mut origin = file.map_or_else(|| "defaults".to_owned(), |path| path.display().to_string());
    let mut names = Vec::new();
    for (name, value) in environment {
        if let Some(path) = key_path(&name) {
            set(&mut table, &path, parse(&value));
            names.push(name);
        }
    }
    if !names.is_empty() {
        origin = format!("{origin} with {}", names.join(", "));
    }
    let mut config = typed(table, &origin)?;
    flags(&mut config);
    config.validate().map_err(|error| LoadError::Sense { origin, error })?;
    Ok(config)
}

fn read(path: &Path) -> Result<Table, LoadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    text.parse().map_err(|error: toml::de::Error| LoadError::Syntax {
        path: path.to_owned(),
        text: error.to_string(),
    })
}

fn typed(table: Table, origin: &str) -> Result<Config, LoadError> {
    let mut track = serde_path_to_error::Track::new();
    let deserializer = Value::Table(table);
    let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
    Config::deserialize(tracked).map_err(|error| LoadError::Value {
        origin: origin.to_owned(),
        key: track.path().to_string(),
        problem: error.message().to_owned(),
    })
}

/// `TROLLEYBUS_SERVER__LISTEN` into `["server", "listen"]`; names without `__` are not for us.
fn key_path(name: &str) -> Option<Vec<String>> {
    let path = name.strip_prefix(ENVIRONMENT_PREFIX)?;
    let parts: Vec<_> = path.split("__").map(str::to_ascii_lowercase).collect();
    (parts.len() > 1).then_some(parts)
}

/// A value as TOML writes it, or plain text.
fn parse(value: &str) -> Value {
    let table = format!("value = {value}").parse::<Table>();
    let parsed = table.ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(value.to_owned()))
}

fn set(table: &mut Table, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return;
    }
    let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = inner {
        set(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let path = std::env::temp_dir().join(format!(
            "trolleybus-{}-{:?}.toml",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let loaded = load(Some(&path), environment, |_| {});
        std::fs::remove_file(&path).unwrap();
        loaded.map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_holds_the_defaults() {
        assert_eq!(load_text(EXAMPLE, &[]).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\n[bridge]\nmax_address_length = 5";
        let environment = [
            ("TROLLEYBUS_SERVER__LISTEN", "127.0.0.1:2"),
            ("TROLLEYBUS_BRIDGE__INBOUND_PERMITTED", "[{ address = \"a\" }]"),
            ("TROLLEYBUS_WWW", "not ours"),
            ("PATH", "/bin"),
        ];
        let config = load_text(text, &environment).unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert_eq!(config.bridge.inbound_permitted[0].address.as_deref(), Some("a"));
        assert_eq!(config.bridge.max_address_length, 5);
    }

    #[test]
    fn errors_name_the_file_the_key_and_what_is_allowed() {
        let error = load_text("[bridge]\npingtimeout = 5", &[]).unwrap_err();
        assert!(
            error.contains(".toml: `bridge.pingtimeout`: unknown field `pingtimeout`"),
            "{error}"
        );
        assert!(error.contains("`ping_timeout_ms`"), "{error}");
        let error = load_text("[sockjs]\ndisabled_transports = [\"smoke\"]", &[]).unwrap_err();
        assert!(
            error.contains("`sockjs.disabled_transports` has `smoke`; allowed are "),
            "{error}"
        );
        let rule = "[[bridge.inbound_permitted]]\naddress_regex = \"(\"";
        let error = load_text(rule, &[]).unwrap_err();
        assert!(error.contains("`bridge.inbound_permitted[0].address_regex`"), "{error}");
        let error = load_text("[server]\nlisten = 5", &[]).unwrap_err();
        assert!(error.contains("`server.listen`: invalid type"), "{error}");
        assert!(load_text("[server", &[]).unwrap_err().contains("line 1"));
        let error = load_text("", &[("TROLLEYBUS_BRIDGE__PING_TIMEOUT_MS", "0")]).unwrap_err();
        assert!(error.contains("with TROLLEYBUS_BRIDGE__PING_TIMEOUT_MS: "), "{error}");
    }
}
