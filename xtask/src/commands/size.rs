//! `cargo xtask size`: what browsers download, raw and gzipped.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{need::Need, products::gzip, workshop::Workshop};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    workshop.meet(&[Need::Site])?;
    let workspace = &workshop.workspace;
    println!("{:<28} {:>9} {:>9}", "bytes", "raw", "gzip -9");
    let (package, ui) = (workspace.sdk_package(), workspace.ui_package());
    table("npm package", &package, ["index.js", "trolleybus_bg.wasm"])?;
    table("UI", &ui, ["trolleybus-ui.js", "trolleybus-ui_bg.wasm"])
}

fn table(title: &str, folder: &Path, [loader, wasm]: [&str; 2]) -> Result<()> {
    let loader = measure(&folder.join(loader))?;
    let wasm = measure(&folder.join(wasm))?;
    row(&format!("{title}: loader"), loader);
    row(&format!("{title}: wasm"), wasm);
    row(&format!("{title}: total"), (loader.0 + wasm.0, loader.1 + wasm.1));
    Ok(())
}

fn measure(file: &Path) -> Result<(usize, usize)> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok((bytes.len(), gzip::compress(file)?.len()))
}

fn row(title: &str, (raw, gzipped): (usize, usize)) {
    println!("{title:<28} {raw:>9} {gzipped:>9}");
}
