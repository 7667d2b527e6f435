//! rustfmt and clippy, which rustup adds when its profile left them out.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Tools;
use crate::process::{run_bounded, run_captured, say};

const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// Sees to it that `cargo SUBCOMMAND` works, which `component` provides.
pub(crate) fn provide(tools: &Tools, subcommand: &str, component: &str) -> Result<()> {
    let works = || run_captured(tools.command("cargo").args([subcommand, "--version"]));
    if works().is_ok() {
        return Ok(());
    }
    say(&format!("rustup component add {component}"));
    let mut rustup = tools.command("rustup");
    run_bounded(rustup.args(["component", "add", component]), RUSTUP_LIMIT)
        .and_then(|_| works())
        .map(drop)
        .with_context(|| {
            format!("no `cargo {subcommand}`; install it with: rustup component add {component}")
        })
}
