//! The hooks in a browser, against the server named by `TROLLEYBUS_TEST_URL` when this was
//! compiled (`cargo xtask test wasm` does both).
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod consumers;
mod provider;
mod requests;
mod stage;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
