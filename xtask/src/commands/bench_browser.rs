//! `cargo xtask bench-browser`: the npm package in Chromium beside Vert.x's client, as a table of ratios.

use anyhow::Result;

use crate::{need::Need, process::run, workshop::Workshop};

/// `args` go to the runner: `--rounds 7 --live --json FILE`.
pub(super) fn run_all(args: &[String]) -> Result<()> {
    let mut workshop = Workshop::open()?;
    workshop.meet(&[Need::Server, Need::Site, Need::Browser, Need::TestPackages])?;
    let mut node = workshop.node_test_command();
    node.arg(workshop.workspace.tests().join("bench/dispatch.mjs")).args(args);
    run(&mut node)
}
