//! Making what wasm-pack wrote small: wasm-opt over the wasm, esbuild over its loader.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{process::run_captured, workshop::Workshop};

/// Shrinks `NAME_bg.wasm` and `NAME.js` in `folder`.
pub(super) fn shrink(workshop: &Workshop, folder: &Path, name: &str) -> Result<()> {
    optimize(workshop, &folder.join(format!("{name}_bg.wasm")))?;
    minify(workshop, &folder.join(format!("{name}.js")))
}

pub(super) fn optimize(workshop: &Workshop, wasm: &Path) -> Result<()> {
    let small = wasm.with_extension("wasm.small");
    let mut wasm_opt = workshop.command("wasm-opt");
    wasm_opt.arg("-Oz").arg(wasm).arg("-o").arg(&small);
    run_captured(&mut wasm_opt).context("wasm-opt failed")?;
    replace(wasm, &small)
}

fn minify(workshop: &Workshop, script: &Path) -> Result<()> {
    let small = script.with_extension("js.small");
    run_esbuild(workshop, script, &small, &[])?;
    replace(script, &small)
}

/// Writes `script` with all that it imports into one file.
pub(super) fn bundle(workshop: &Workshop, script: &Path, into: &Path) -> Result<()> {
    run_esbuild(workshop, script, into, &["--bundle"])
}

fn run_esbuild(workshop: &Workshop, script: &Path, into: &Path, flags: &[&str]) -> Result<()> {
    let mut esbuild = workshop.command("esbuild");
    esbuild
        .args([
            "--minify",
            "--format=esm",
            "--target=es2022",
            "--charset=utf8",
        ])
        .args(flags)
        .args(["--log-level=warning", "--legal-comments=none"])
        .arg(format!("--outfile={}", into.display()))
        .arg(script);
    run_captured(&mut esbuild).context("esbuild failed")?;
    Ok(())
}

fn replace(file: &Path, by: &Path) -> Result<()> {
    fs::rename(by, file).with_context(|| format!("cannot replace {}", file.display()))
}
