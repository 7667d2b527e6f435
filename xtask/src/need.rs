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
    /// The npm packages that the tests use.
    TestPackages,
    /// The npm package, the UI and the static files, assembled.
    Site,
    /// The server, the SockJS test server and the bare echo, in release.
    Server,
}

impl Need {
    /// All needs that are for tools rather than for builds.
    pub(crate) const TOOLS: [Self; 8] = [
        Self::Rustfmt,
        Self::Clippy,
        Self::WasmTarget,
        Self::WasmTools,
        Self::Node,
        Self::Shrinkers,
        Self::Browser,
        Self::TestPackages,
    ];

    pub(crate) fn requires(self) -> &'static [Self] {
        match self {
            Self::Shrinkers | Self::TestPackages => &[Self::Node],
            Self::Site => &[Self::WasmTarget, Self::WasmTools, Self::Shrinkers],
            _ => &[],
        }
    }

    pub(crate) fn provide(self, workshop: &mut Workshop) -> Result<()> {
        match self {
            Self::Rustfmt => tools::components::RUSTFMT.provide(&workshop.tools),
            Self::Clippy => tools::components::CLIPPY.provide(&workshop.tools),
            Self::WasmTarget => tools::wasm_target::provide(&mut workshop.tools),
            Self::WasmTools => tools::cargo_tools::provide(workshop),
            Self::Node => tools::node::provide(&workshop.tools),
            Self::Shrinkers => tools::npm_tools::provide(&mut workshop.tools),
            Self::Browser => tools::browser::provide(&mut workshop.tools),
            Self::TestPackages => tools::node::provide_test_packages(workshop),
            Self::Site => products::site::build(workshop),
            Self::Server => products::server::build(workshop),
        }
    }
}
