//! What commands and suites can need, what that needs in turn, and who provides it.

use anyhow::Result;

use crate::{products, tools, workshop::Workshop};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    Rustfmt,
    Clippy,
    /// A Rust toolchain that builds for `wasm32-unknown-unknown`.
    WasmTarget,
    /// wasm-bindgen and wasm-pack.
    WasmTools,
    Node,
    /// wasm-opt and esbuild, which make the wasm and its loader small, and TypeDoc.
    Shrinkers,
    /// Chromium and chromedriver.
    Browser,
    Firefox,
    /// The npm packages that the tests use.
    TestPackages,
    /// Vite, webpack, esbuild and the frameworks of the examples.
    Bundlers,
    /// The npm package, the UI and the static files, assembled.
    Site,
    /// The examples in Rust, for a browser.
    RustExamples,
    /// The server, and the SockJS test server, in release.
    Server,
}

impl Need {
    /// All needs that are for tools rather than for builds.
    pub(crate) const TOOLS: [Self; 10] = [
        Self::Rustfmt,
        Self::Clippy,
        Self::WasmTarget,
        Self::WasmTools,
        Self::Node,
        Self::Shrinkers,
        Self::Browser,
        Self::Firefox,
        Self::TestPackages,
        Self::Bundlers,
    ];

    pub(crate) fn requires(self) -> &'static [Self] {
        match self {
            Self::Shrinkers | Self::TestPackages | Self::Bundlers => &[Self::Node],
            Self::Site => &[Self::WasmTarget, Self::WasmTools, Self::Shrinkers],
            Self::RustExamples => &[Self::WasmTarget, Self::WasmTools],
            _ => &[],
        }
    }

    pub(crate) fn provide(self, workshop: &mut Workshop) -> Result<()> {
        match self {
            Self::Rustfmt => tools::components::RUSTFMT.provide(&workshop.tools),
            Self::Clippy => tools::components::CLIPPY.provide(&workshop.tools),
            Self::WasmTarget => tools::wasm_target::provide(&mut workshop.tools),
            Self::WasmTools => tools::cargo_tools::provide(workshop),
            Self::Node => tools::node::provide(&mut workshop.tools),
            Self::Shrinkers => tools::npm_tools::provide(&mut workshop.tools),
            Self::Browser => tools::browser::provide(&mut workshop.tools),
            Self::Firefox => tools::browser::provide_firefox(&mut workshop.tools),
            Self::TestPackages => tools::node::provide_test_packages(workshop),
            Self::Bundlers => tools::node::provide_bundlers(workshop),
            Self::Site => products::site::build(workshop),
            Self::RustExamples => products::rust_examples::build(workshop),
            Self::Server => products::server::build(workshop),
        }
    }
}
