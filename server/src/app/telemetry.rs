//! Logs: how they look and which there are.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::access::ConfigError;

/// The environment variable that goes over [`TelemetryConfig::log_filter`].
pub const LOG_VARIABLE: &str = "TROLLEYBUS_LOG";

/// What the process says of itself on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// One line of text or one JSON object for each event: text.
    pub log_format: LogFormat,
    /// Which events: `info`. `debug` shows the life of sockets, `trace` that of frames; parts go
    /// as in `info,trolleybus::bridge=debug`. The variable `TROLLEYBUS_LOG` goes over it.
    pub log_filter: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log_format: LogFormat::Text, log_filter: "info".to_owned() }
    }
}

/// How a log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl TelemetryConfig {
    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.filter().map(drop)
    }

    fn filter(&self) -> Result<EnvFilter, ConfigError> {
        let parsed = EnvFilter::builder().parse(&self.log_filter);
        parsed.map_err(|error| {
            ConfigError::new("log_filter", format!("is `{}`: {error}", self.log_filter))
        })
    }

    /// Starts logging for this process; a second call changes nothing.
    ///
    /// # Errors
    /// When the filter makes no sense.
    pub fn start(&self) -> Result<(), ConfigError> {
        let filter = match std::env::var(LOG_VARIABLE) {
            Ok(text) if !text.is_empty() => EnvFilter::builder()
                .parse(&text)
                .map_err(|error| ConfigError::new(LOG_VARIABLE, error.to_string()))?,
            _ => self.filter()?,
        };
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let started = match self.log_format {
            LogFormat::Text => log.try_init(),
            LogFormat::Json => log.json().flatten_event(true).try_init(),
        };
        // Somebody logs already: a program that embeds this server, or a test.
        started.ok();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_found() {
        assert_eq!(TelemetryConfig::default().validate(), Ok(()));
        let config = TelemetryConfig { log_filter: "a=b=c".into(), ..Default::default() };
        assert_eq!(config.validate().map_err(|error| error.key), Err("log_filter".into()));
    }
}
