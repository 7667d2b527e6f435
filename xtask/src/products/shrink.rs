//! Making what wasm-pack wrote small: wasm-opt over the wasm, esbuild over its loader.

use std::{collections::BTreeSet, fs, path::Path};

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
    wasm_opt
        // Flattening first lets the passes see more; twice, because the first leaves some behind.
        .args(["--flatten", "--rereloop", "-Oz", "-Oz", "--converge"])
        .args(["--strip-producers", "--strip-target-features"])
        .arg(wasm)
        .arg("-o")
        .arg(&small);
    run_captured(&mut wasm_opt).context("wasm-opt failed")?;
    replace(wasm, &small)
}

/// Replaces the hashes in the names that wasm and loader share by numbers of the same length: they
/// are unique within the package, and compress.
pub(super) fn number_names(wasm: &Path, loader: &Path) -> Result<()> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (mut code, mut script) = (read(wasm)?, read(loader)?);
    for (number, hash) in hashes(&script).into_iter().enumerate() {
        let number = format!("{number:0HASH_LEN$}");
        for text in [&mut code, &mut script] {
            replace_all(text, &hash, number.as_bytes());
        }
    }
    for (path, text) in [(wasm, code), (loader, script)] {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// wasm-bindgen ends names with this many hexadecimal digits.
const HASH_LEN: usize = 16;

/// The hashes in a loader, each once.
fn hashes(script: &[u8]) -> BTreeSet<Vec<u8>> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let names = script.split(|byte| !is_name(byte));
    let named =
        names.filter(|name| name.starts_with(b"__wbg_") || name.starts_with(b"wasm_bindgen__"));
    let ends = named.filter_map(|name| name.len().checked_sub(HASH_LEN).map(|at| &name[at..]));
    ends.filter(|end| end.iter().all(u8::is_ascii_hexdigit)).map(<[u8]>::to_vec).collect()
}

fn replace_all(text: &mut [u8], old: &[u8], new: &[u8]) {
    let mut at = 0;
    while let Some(found) = text[at..].windows(old.len()).position(|part| part == old) {
        at += found;
        text[at..at + old.len()].copy_from_slice(new);
    }
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
        .args(["--minify", "--format=esm", "--target=es2022", "--charset=utf8"])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_imports_are_found_once_and_replaced_in_place() {
        let script = b"{__wbg_new_0123456789abcdef:f,__wbg_new_0123456789abcdef,__wbg_bus_free}";
        let found = hashes(script);
        assert_eq!(found, BTreeSet::from([b"0123456789abcdef".to_vec()]));
        let mut text = script.to_vec();
        replace_all(&mut text, b"0123456789abcdef", b"0000000000000000");
        assert!(hashes(&text).contains(&b"0000000000000000"[..]) && text.len() == script.len());
    }
}
