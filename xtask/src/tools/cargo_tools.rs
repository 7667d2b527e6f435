//! wasm-bindgen, in the version of Cargo.lock, wasm-pack and cargo-fuzz: built by cargo.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::Tools;
use crate::{
    process::{find, run_captured},
    workshop::Workshop,
};

const WASM_PACK: &str = "0.15.1";
const CARGO_FUZZ: &str = "0.13.2";

struct CargoTool<'a> {
    /// The crate that cargo installs.
    package: &'a str,
    /// The program, also the name in the tools folder.
    program: &'a str,
    /// Other programs of the same crate that must be there.
    companions: &'a [&'a str],
    version: &'a str,
}

pub(crate) fn provide(workshop: &mut Workshop) -> Result<()> {
    let lock_file = workshop.workspace.lock_file();
    let lock = fs::read_to_string(&lock_file)
        .with_context(|| format!("cannot read {}", lock_file.display()))?;
    let wasm_bindgen = CargoTool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        companions: &["wasm-bindgen-test-runner"],
        version: locked_version(&lock, "wasm-bindgen")
            .context("Cargo.lock has no package wasm-bindgen")?,
    };
    let wasm_pack = CargoTool {
        package: "wasm-pack",
        program: "wasm-pack",
        companions: &[],
        version: WASM_PACK,
    };
    wasm_bindgen.provide(&mut workshop.tools)?;
    wasm_pack.provide(&mut workshop.tools)
}

/// cargo-fuzz, only for `cargo xtask fuzz`.
pub(crate) fn provide_fuzzer(workshop: &mut Workshop) -> Result<()> {
    let cargo_fuzz = CargoTool {
        package: "cargo-fuzz",
        program: "cargo-fuzz",
        companions: &[],
        version: CARGO_FUZZ,
    };
    cargo_fuzz.provide(&mut workshop.tools)
}

impl CargoTool<'_> {
    fn provide(&self, tools: &mut Tools) -> Result<()> {
        if find(self.program).is_some_and(|file| self.is_whole(tools, file.parent())) {
            return Ok(());
        }
        let name = format!("{}-{}", self.program, self.version);
        let folder = tools.cache.tool(
            &name,
            |folder| self.is_whole(tools, Some(&folder.join("bin"))),
            |folder| self.install(tools, folder),
        )?;
        tools.put_on_path(&folder.join("bin"))
    }

    /// Whether `folder` has the program in the right version, and its companions.
    fn is_whole(&self, tools: &Tools, folder: Option<&Path>) -> bool {
        folder.is_some_and(|folder| {
            let mut program = tools.command(folder.join(self.program));
            let says = run_captured(program.arg("--version")).unwrap_or_default();
            says.split_whitespace().nth(1) == Some(self.version)
                && self.companions.iter().all(|name| folder.join(name).is_file())
        })
    }

    fn install(&self, tools: &Tools, folder: &Path) -> Result<()> {
        let mut cargo = tools.command("cargo");
        cargo
            .args(["install", "--locked", "--version", self.version, "--root"])
            .arg(folder)
            .arg(self.package)
            // Away from the workspace: its settings are not meant for tools.
            .current_dir(tools.cache.root())
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        run_captured(&mut cargo).map(drop)
    }
}

/// The version of `package` in the text of a Cargo.lock.
pub(super) fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?;
    version.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_read() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.79\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.129"));
        assert_eq!(locked_version(lock, "yew"), None);
    }
}
