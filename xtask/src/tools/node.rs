//! Node and npm, and the npm packages of the tests.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::{Tools, debian};
use crate::{
    process::{find, run_captured, say},
    workshop::Workshop,
};

const OLDEST_NODE: u32 = 18;

pub(crate) fn provide(tools: &Tools) -> Result<()> {
    let missing: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| package)
        .collect();
    if !missing.is_empty() {
        debian::install(tools, &missing)?;
    }
    let version = run_captured(tools.command("node").arg("--version"))?;
    ensure!(
        major(&version).is_some_and(|major| major >= OLDEST_NODE),
        "node is {}, but at least v{OLDEST_NODE} is needed",
        version.trim()
    );
    Ok(())
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Installs the packages of `tests/package-lock.json`, unless the very same are there.
pub(crate) fn provide_test_packages(workshop: &Workshop) -> Result<()> {
    provide_packages(workshop, &workshop.workspace.tests())
}

/// Installs the packages of the lock file in `folder`, unless the very same are there.
pub(crate) fn provide_packages(workshop: &Workshop, folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    // Written last: a copy of the lock file that was installed whole.
    let stamp = folder.join("node_modules/.installed-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let _lock = workshop.tools.cache.lock()?;
    say(&format!("npm ci in {}", folder.display()));
    let mut npm = workshop.command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    run_captured(&mut npm)?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v18.20.4\n"), Some(18));
        assert_eq!(major("18"), None);
    }
}
