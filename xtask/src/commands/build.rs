//! `cargo xtask build`: the npm package, the UI and the assembled site.

use anyhow::Result;

use crate::{need::Need, process::say, workshop::Workshop};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    workshop.meet(&[Need::Site])?;
    let workspace = &workshop.workspace;
    say(&format!("npm package: {}", workspace.sdk_package().display()));
    say(&format!("site: {}", workspace.site().display()));
    Ok(())
}
