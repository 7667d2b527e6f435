//! `cargo xtask setup`: every tool found or installed, nothing built.

use anyhow::{Result, ensure};

use crate::{need::Need, process::say, workshop::Workshop};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    let mut failures = 0;
    for need in Need::TOOLS {
        if let Err(error) = workshop.meet(&[need]) {
            say(&format!("{error:#}"));
            failures += 1;
        }
    }
    ensure!(failures == 0, "{failures} tools could not be set up");
    say("all tools are there");
    Ok(())
}
