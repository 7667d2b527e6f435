//! The demo gallery, drawn by Yew in the browser.
//!
//! | Module | Holds |
//! |---|---|
//! | `model` | what the page knows, as plain data and functions; tested natively |
//! | `uppercase` | the service, the very file that the server compiles |
//! | `browser` | the few things asked of the browser: clock, address bar, clipboard |
//! | `line` | the client: connects, serves, and turns what happens into actions of the model |
//! | `view` | the components, one file each |

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod line;
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(dead_code, unused_imports, reason = "the components that use it are for the browser")
)]
mod model;
#[expect(dead_code, unreachable_pub, reason = "the file is the server's as well")]
#[path = "../../server/src/service/uppercase.rs"]
mod uppercase;
#[cfg(target_arch = "wasm32")]
mod view;

/// Draws the page. The module's loader calls it.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    view::draw();
}
