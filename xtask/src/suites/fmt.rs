//! Suite `fmt`: the sources are formatted.

use anyhow::Result;

use crate::{process::run as run_child, workshop::Workshop};

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    run_child(workshop.command("cargo").args(["fmt", "--all", "--check"]))
}
