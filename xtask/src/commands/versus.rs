//! `cargo xtask versus`: the same work against ours and its peers, in turns, as a table of ratios.

use anyhow::{Result, bail};

use crate::{
    need::Need,
    process::{find, run},
    tools,
    workshop::Workshop,
};

/// `args` go to the runner: `--rounds 3 --seconds 3 --only fan-out`.
pub(super) fn run_all(args: &[String]) -> Result<()> {
    if find("taskset").is_none() {
        bail!(
            "`taskset` is missing, which pins server and load to a core each: install util-linux"
        );
    }
    let mut workshop = Workshop::open()?;
    workshop.meet(&[Need::Node, Need::Server])?;
    let folder = workshop.workspace.tests().join("versus");
    tools::node::provide_packages(&workshop, &folder)?;
    let mut node = workshop.command("node");
    node.arg(folder.join("run.mjs"))
        .arg("--out")
        .arg(workshop.workspace.target().join("versus.md"))
        .args(args)
        .env("TROLLEYBUS_BIN", workshop.workspace.server_binary())
        .env("BARE_ECHO_BIN", workshop.workspace.bare_echo());
    run(&mut node)
}
