//! The UI, as wasm with its loader.

use anyhow::{Context, Result};

use super::shrink::shrink;
use crate::{
    process::{run, say},
    workshop::Workshop,
};

const NAME: &str = "trolleybus-ui";

pub(super) fn build(workshop: &Workshop) -> Result<()> {
    say("building the UI");
    let folder = workshop.workspace.ui_package();
    let mut wasm_pack = workshop.wasm_command("wasm-pack");
    wasm_pack
        .args(["--log-level", "error", "build"])
        .arg(workshop.workspace.ui())
        .args(["--target", "web", "--mode", "no-install", "--profile", "wasm"])
        .args(["--no-opt", "--no-gitignore", "--no-pack", "--no-typescript"])
        .args(["--out-name", NAME, "--out-dir"])
        .arg(&folder);
    run(&mut wasm_pack).context("the UI did not build")?;
    shrink(workshop, &folder, NAME)
}
