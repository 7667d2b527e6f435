//! `cargo xtask setup`: every tool found or installed, nothing built.

use anyhow::Result;

use crate::{need::Need, process::say, workshop::Workshop};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    workshop.meet(&Need::TOOLS)?;
    say("all tools are there");
    Ok(())
}
