//! The programs that others wrote: found, or else installed, and put where child processes find them.

pub(crate) mod browser;
mod cache;
pub(crate) mod cargo_tools;
pub(crate) mod components;
mod debian;
pub(crate) mod nats;
pub(crate) mod node;
pub(crate) mod npm_tools;
pub(crate) mod peers;
pub(crate) mod wasm_target;

pub(crate) use debian::install as install_debian;

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use self::{cache::ToolCache, wasm_target::WasmToolchain};

/// What was found or installed so far.
#[derive(Debug)]
pub(crate) struct Tools {
    cache: ToolCache,
    /// PATH of child processes: the tools first.
    path: OsString,
    wasm: WasmToolchain,
    chromium: Option<PathBuf>,
    firefox: Option<PathBuf>,
}

impl Tools {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            cache: ToolCache::open()?,
            path: path_with_cargo()?,
            wasm: WasmToolchain::Active,
            chromium: None,
            firefox: None,
        })
    }

    /// A command that finds the tools.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path);
        command
    }

    /// A command that finds the tools and the Rust toolchain that has the wasm target.
    pub(crate) fn wasm_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command(program);
        self.wasm.apply(&mut command, &self.path);
        command
    }

    /// Whether clippy can lint for wasm: Debian's toolchain comes without clippy.
    pub(crate) fn has_wasm_clippy(&self) -> bool {
        matches!(self.wasm, WasmToolchain::Active)
    }

    /// The browser, once it was needed.
    pub(crate) fn chromium(&self) -> Option<&Path> {
        self.chromium.as_deref()
    }

    /// The other browser, once it was needed.
    pub(crate) fn firefox(&self) -> Option<&Path> {
        self.firefox.as_deref()
    }

    /// Puts `folder` in front of PATH for all child processes to come.
    fn put_on_path(&mut self, folder: &Path) -> Result<()> {
        let folders = std::iter::once(folder.to_path_buf()).chain(env::split_paths(&self.path));
        self.path = env::join_paths(folders)
            .with_context(|| format!("{} cannot be on PATH", folder.display()))?;
        Ok(())
    }
}

/// Our own PATH, with the folder of the cargo that runs us at its end in case that is not on it.
fn path_with_cargo() -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(path);
    };
    let folder = Path::new(&cargo).parent().map(Path::to_path_buf);
    env::join_paths(env::split_paths(&path).chain(folder)).context("PATH cannot be extended")
}
