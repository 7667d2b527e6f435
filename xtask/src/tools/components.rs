//! rustfmt and clippy: rustup adds them when its profile left them out; Debian has them as packages.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Tools, debian};
use crate::process::{find, run_bounded, run_captured, say};

const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// A subcommand of cargo that is not always there.
pub(crate) struct Component {
    subcommand: &'static str,
    rustup_name: &'static str,
    /// The package that goes with Debian's newest cargo.
    debian_package: &'static str,
}

pub(crate) const RUSTFMT: Component =
    Component { subcommand: "fmt", rustup_name: "rustfmt", debian_package: "rustfmt-web" };

pub(crate) const CLIPPY: Component =
    Component { subcommand: "clippy", rustup_name: "clippy", debian_package: "rust-web-clippy" };

impl Component {
    /// Sees to it that the subcommand works.
    pub(crate) fn provide(&self, tools: &Tools) -> Result<()> {
        if self.works(tools).is_ok() {
            return Ok(());
        }
        self.install(tools).and_then(|()| self.works(tools)).with_context(|| {
            let (subcommand, name) = (self.subcommand, self.rustup_name);
            format!("no `cargo {subcommand}`; install it with: rustup component add {name}")
        })
    }

    fn works(&self, tools: &Tools) -> Result<()> {
        let mut cargo = tools.command("cargo");
        run_captured(cargo.args([self.subcommand, "--version"])).map(drop)
    }

    fn install(&self, tools: &Tools) -> Result<()> {
        if find("rustup").is_none() {
            return debian::install(tools, &[self.debian_package]);
        }
        say(&format!("rustup component add {}", self.rustup_name));
        let mut rustup = tools.command("rustup");
        rustup.args(["component", "add", self.rustup_name]);
        run_bounded(&mut rustup, RUSTUP_LIMIT).map(drop)
    }
}
