//! No spans: what is called here is compiled away.

use trolleybus_protocol::Headers;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Span;

impl Span {
    #[inline]
    pub(crate) fn begin(_operation: &'static str, _address: &str, _headers: &mut Headers) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn end(self, _outcome: &'static str, _is_failure: bool) {}
}
