//! What the test suites share.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(missing_debug_implementations, reason = "test doubles are not printed")]

#[path = "../support/mod.rs"]
pub mod support;
