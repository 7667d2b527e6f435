//! `cargo xtask bench-browser`: the npm package in Chromium beside Vert.x's client, as a table of ratios.

use anyhow::Result;

use super::{Outcome, options};
use crate::{need::Need, process::run as run_child, workshop::Workshop};

/// `args` go to the runner: `--rounds 7 --live --json FILE`.
pub(super) fn run(args: &[String]) -> Result<Outcome> {
    let mut workshop = Workshop::open()?;
    workshop.meet(&[Need::Node])?;
    let folder = workshop.workspace.tests().join("bench");
    if let Some(complaint) = options::complaint(&workshop, &folder.join("options.mjs"), args)? {
        return Ok(Outcome::Misused(complaint));
    }
    workshop.meet(&[Need::Server, Need::Site, Need::Browser, Need::TestPackages])?;
    let mut node = workshop.node_test_command();
    node.arg(folder.join("dispatch.mjs")).args(args);
    run_child(&mut node)?;
    Ok(Outcome::Done)
}
