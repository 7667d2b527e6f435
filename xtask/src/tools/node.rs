//! Node and npm, and the npm packages of the tests.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::{Tools, debian, npm_tools};
use crate::{
    process::{find, run_captured, say},
    workshop::Workshop,
};

/// What Vite asks for. Debian 12 has v18, and npm a newer one.
const OLDEST_NODE: [u32; 2] = [20, 19];

pub(crate) fn provide(tools: &mut Tools) -> Result<()> {
    let missing: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| package)
        .collect();
    if !missing.is_empty() {
        debian::install(tools, &missing)?;
    }
    if !is_new_enough(tools)? {
        npm_tools::provide_node(tools)?;
    }
    ensure!(is_new_enough(tools)?, "node is older than v{}.{}", OLDEST_NODE[0], OLDEST_NODE[1]);
    Ok(())
}

fn is_new_enough(tools: &Tools) -> Result<bool> {
    let version = run_captured(tools.command("node").arg("--version"))?;
    Ok(parts(&version).is_some_and(|version| version >= OLDEST_NODE))
}

/// The first two numbers of a version.
fn parts(version: &str) -> Option<[u32; 2]> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some([numbers.next()??, numbers.next()??])
}

/// Installs the packages of `tests/package-lock.json`, unless the very same are there.
pub(crate) fn provide_test_packages(workshop: &Workshop) -> Result<()> {
    provide_packages(workshop, &workshop.workspace.tests())
}

/// Installs bundlers and frameworks apart from the sources, where projects are built with them.
pub(crate) fn provide_bundlers(workshop: &Workshop) -> Result<()> {
    let (from, to) = (workshop.workspace.bundlers(), workshop.workspace.installed_bundlers());
    fs::create_dir_all(&to).with_context(|| format!("cannot create {}", to.display()))?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name} to {}", to.display()))?;
    }
    provide_packages(workshop, &to)
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
    fn versions_are_compared_by_number() {
        assert_eq!(parts("v18.20.4\n"), Some([18, 20]));
        assert!(parts("v20.9.0") < Some(OLDEST_NODE) && parts("v100.0.0") > Some(OLDEST_NODE));
        assert_eq!(parts("18.1"), None);
    }
}
