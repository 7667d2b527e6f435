//! Logs and spans: how they look, which there are, and where they go.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, stderr};

use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::log_fields;
use crate::access::ConfigError;

/// The environment variable that goes over [`TelemetryConfig::log_filter`].
pub const LOG_VARIABLE: &str = "TROLLEYBUS_LOG";

/// The environment variable that takes the colours out of logs, unless it is empty.
const COLOR_VARIABLE: &str = "NO_COLOR";

type Boxed<S> = Box<dyn Layer<S> + Send + Sync>;

/// What the process says of itself: logs on standard error, spans to a collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// One line of text or one JSON object for each event: text. In colours on a terminal, unless
    /// the variable `NO_COLOR` is set.
    pub log_format: LogFormat,
    /// Which events: `info`. `debug` shows the life of sockets, `trace` that of frames; parts go
    /// as in `info,trolleybus::bridge=debug`. The variable `TROLLEYBUS_LOG` goes over it.
    pub log_filter: String,
    /// Where an OpenTelemetry collector takes spans, by HTTP without TLS, such as
    /// `http://127.0.0.1:4318/v1/traces`: none. Only in builds with the feature `otel`.
    pub otlp_endpoint: Option<String>,
    /// How many of the traces that begin here are collected, from 0 to 1: 1. Who continues a
    /// trace goes by its beginning.
    pub otlp_sample_ratio: f64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            otlp_endpoint: None,
            otlp_sample_ratio: 1.0,
        }
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

/// Logs and spans that were started. Spans that wait are lost unless it is stopped.
#[derive(Debug, Default)]
#[must_use = "spans that wait are lost unless it is stopped"]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    spans: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

impl Telemetry {
    /// Sends the spans that wait. May take some seconds and blocks, so call it on a thread that
    /// may.
    pub fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(Err(error)) = self.spans.map(|spans| spans.shutdown()) {
            tracing::warn!(%error, "spans were lost");
        }
    }
}

impl TelemetryConfig {
    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.filter()?;
        if !(0.0..=1.0).contains(&self.otlp_sample_ratio) {
            return Err(ConfigError::new("otlp_sample_ratio", "must be between 0 and 1"));
        }
        match &self.otlp_endpoint {
            Some(_) if !cfg!(feature = "otel") => {
                let problem = "needs a build with the feature `otel`";
                Err(ConfigError::new("otlp_endpoint", problem))
            }
            Some(endpoint) if !endpoint.starts_with("http://") => {
                Err(ConfigError::new("otlp_endpoint", "must start with `http://`"))
            }
            _ => Ok(()),
        }
    }

    fn filter(&self) -> Result<EnvFilter, ConfigError> {
        let parsed = EnvFilter::builder().parse(&self.log_filter);
        parsed.map_err(|error| {
            ConfigError::new("log_filter", format!("is `{}`: {error}", self.log_filter))
        })
    }

    /// Starts logs and spans for this process; a second call changes nothing. With an endpoint it
    /// has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// When a value makes no sense.
    pub fn start(&self) -> Result<Telemetry, ConfigError> {
        let filter = match std::env::var(LOG_VARIABLE) {
            Ok(text) if !text.is_empty() => EnvFilter::builder()
                .parse(&text)
                .map_err(|error| ConfigError::new(LOG_VARIABLE, error.to_string()))?,
            _ => self.filter()?,
        };
        let logs = Registry::default().with(self.log().with_filter(filter));
        let (telemetry, spans) = self.spans()?;
        // Somebody logs already: a program that embeds this server, or a test.
        let started = match spans {
            Some(spans) => logs.with(spans).try_init(),
            None => logs.try_init(),
        };
        started.ok();
        Ok(telemetry)
    }

    fn log<S: Subscriber + Send + Sync + for<'a> LookupSpan<'a>>(&self) -> Boxed<S> {
        let no_color = std::env::var_os(COLOR_VARIABLE);
        let is_coloured = is_coloured(stderr().is_terminal(), no_color.as_deref());
        let log = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(is_coloured);
        match self.log_format {
            LogFormat::Text => log.fmt_fields(log_fields::plain()).boxed(),
            LogFormat::Json => log.json().flatten_event(true).boxed(),
        }
    }

    #[cfg(feature = "otel")]
    fn spans<S: Subscriber + Send + Sync + for<'a> LookupSpan<'a>>(
        &self,
    ) -> Result<(Telemetry, Option<Boxed<S>>), ConfigError> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok((Telemetry::default(), None));
        };
        let (provider, tracer) = super::otlp::provider(self, endpoint)?;
        let only = tracing_subscriber::filter::Targets::new()
            .with_target(crate::trace::TARGET, tracing::Level::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(only).boxed();
        Ok((Telemetry { spans: Some(provider) }, Some(layer)))
    }

    #[cfg(not(feature = "otel"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the face of the feature")]
    fn spans<S: Subscriber + Send + Sync + for<'a> LookupSpan<'a>>(
        &self,
    ) -> Result<(Telemetry, Option<Boxed<S>>), ConfigError> {
        Ok((Telemetry::default(), None))
    }
}

/// Colours are for people who look at a terminal and have not said that they want none.
fn is_coloured(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_unwanted() {
        assert!(is_coloured(true, None) && is_coloured(true, Some("".as_ref())));
        assert!(!is_coloured(true, Some("1".as_ref())) && !is_coloured(true, Some("0".as_ref())));
        assert!(!is_coloured(false, None) && !is_coloured(false, Some("".as_ref())));
    }

    fn key_of(config: &TelemetryConfig) -> Option<String> {
        config.validate().err().map(|error| error.key)
    }

    #[test]
    fn values_that_make_no_sense_are_found() {
        let usual = TelemetryConfig::default;
        assert_eq!(key_of(&usual()), None);
        let config = TelemetryConfig { log_filter: "a=b=c".into(), ..usual() };
        assert_eq!(key_of(&config).as_deref(), Some("log_filter"));
        let config = TelemetryConfig { otlp_sample_ratio: 1.5, ..usual() };
        assert_eq!(key_of(&config).as_deref(), Some("otlp_sample_ratio"));
        let config = TelemetryConfig { otlp_endpoint: Some("ftp://a".into()), ..usual() };
        assert_eq!(key_of(&config).as_deref(), Some("otlp_endpoint"));
    }

    #[test]
    fn an_endpoint_needs_the_feature() {
        let endpoint = Some("http://127.0.0.1:4318/v1/traces".into());
        let config = TelemetryConfig { otlp_endpoint: endpoint, ..TelemetryConfig::default() };
        assert_eq!(config.validate().is_ok(), cfg!(feature = "otel"));
    }
}
