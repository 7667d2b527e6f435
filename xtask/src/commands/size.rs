//! `cargo xtask size`: what browsers download, raw and gzipped.

use std::path::Path;

use anyhow::Result;

use crate::{
    need::Need,
    products::{
        sdk_package::ENTRIES,
        size::{NPM_FILES, Size},
    },
    workshop::Workshop,
};

pub(super) fn run(workshop: &mut Workshop) -> Result<()> {
    workshop.meet(&[Need::Site])?;
    let workspace = &workshop.workspace;
    println!("{:<28} {:>9} {:>9}", "bytes", "raw", "gzip -9");
    let (package, ui) = (workspace.sdk_package(), workspace.ui_package());
    table("npm package", &package, NPM_FILES)?;
    // What is loaded besides, by who imports it.
    for entry in &ENTRIES[1..] {
        let file = package.join(format!("{}.js", entry.name));
        row(&format!("npm package: {}.js", entry.name), Size::of(&[file])?);
    }
    table("UI", &ui, ["trolleybus-ui.js", "trolleybus-ui_bg.wasm"])
}

fn table(title: &str, folder: &Path, [loader, wasm]: [&str; 2]) -> Result<()> {
    row(&format!("{title}: loader"), Size::of(&[folder.join(loader)])?);
    row(&format!("{title}: wasm"), Size::of(&[folder.join(wasm)])?);
    row(&format!("{title}: total"), Size::of(&[loader, wasm].map(|file| folder.join(file)))?);
    Ok(())
}

fn row(title: &str, Size { raw, gzipped }: Size) {
    println!("{title:<28} {raw:>9} {gzipped:>9}");
}
