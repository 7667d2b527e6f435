//! Suite `fmt`: the sources are formatted.

use anyhow::Result;

use crate::{process::run as run_child, workshop::Workshop};

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    let commands = [
        workshop.command("cargo"),
        workshop.fuzz_command("cargo"),
        workshop.peers_command("cargo"),
        workshop.examples_command("cargo"),
    ];
    commands
        .into_iter()
        .map(|mut cargo| run_child(cargo.args(["fmt", "--all", "--check"])))
        // All, to the end: all complaints in one run.
        .fold(Ok(()), Result::and)
}
