//! `cargo xtask screenshots`: the pictures of the UI, taken by a script of the end-to-end tests.

use anyhow::{Result, ensure};

use crate::{
    need::Need,
    process::{lifelong, run as run_child},
    workshop::Workshop,
};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    let script = workshop.workspace.tests().join("e2e/screenshots.mjs");
    ensure!(script.is_file(), "{} is not there yet", script.display());
    workshop.meet(&[Need::Server, Need::Site, Need::Browser, Need::TestPackages])?;
    let mut node = workshop.node_test_command();
    node.arg(script);
    run_child(&mut lifelong(node))
}
