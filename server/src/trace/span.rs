//! The span of one operation, and its context in headers.

use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::Status;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use trolleybus_protocol::Headers;

use super::TARGET;

/// The span of one operation. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Span(tracing::Span);

impl Span {
    /// Begins a span under the context in `headers`, and puts its own there instead. When nobody
    /// collects spans, the headers stay as they are.
    pub(crate) fn begin(operation: &'static str, address: &str, headers: &mut Headers) -> Self {
        let span = tracing::info_span!(
            target: TARGET,
            "message",
            otel.name = operation,
            otel.kind = "server",
            messaging.system = "trolleybus",
            messaging.operation.name = operation,
            messaging.destination.name = address,
            outcome = tracing::field::Empty,
        );
        if !span.is_disabled() {
            let propagator = TraceContextPropagator::new();
            // Fails only for a span that began already, which this one has not.
            span.set_parent(propagator.extract(&Received(headers))).ok();
            propagator.inject_context(&span.context(), &mut Sent(headers));
        }
        Self(span)
    }

    /// Ends it with how it went.
    pub(crate) fn end(self, outcome: &'static str, is_failure: bool) {
        self.0.record("outcome", outcome);
        if is_failure && !self.0.is_disabled() {
            self.0.set_status(Status::error(outcome));
        }
    }
}

struct Received<'a>(&'a Headers);

impl Extractor for Received<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name).collect()
    }
}

struct Sent<'a>(&'a mut Headers);

impl Injector for Sent<'_> {
    fn set(&mut self, name: &str, value: String) {
        self.0.remove(name);
        if !value.is_empty() {
            // What the propagator writes has neither line breaks nor NUL.
            self.0.append(name.to_owned(), value).ok();
        }
    }
}
