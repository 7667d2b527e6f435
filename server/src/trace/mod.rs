//! Spans of messages for OpenTelemetry. Without the feature `otel` nothing of it is compiled in.
//!
//! | File | Holds |
//! |---|---|
//! | `span` | [`Span`] of one operation, with the feature |
//! | `none` | the same face with nothing behind it, without |
//!
//! Names follow the conventions for messaging: `messaging.system`, `messaging.operation.name`,
//! `messaging.destination.name`. The context travels in the message's headers, as `traceparent`.

#[cfg(not(feature = "otel"))]
mod none;
#[cfg(feature = "otel")]
mod span;

#[cfg(not(feature = "otel"))]
pub(crate) use none::Span;
#[cfg(feature = "otel")]
pub(crate) use span::Span;

/// What the span's events go by in filters.
#[cfg(feature = "otel")]
pub(crate) const TARGET: &str = "trolleybus::trace";
