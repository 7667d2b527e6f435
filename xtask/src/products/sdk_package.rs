//! The npm package `trolleybus`: the client for browsers, as wasm with its loader and types.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::shrink::shrink;
use crate::{
    process::{run, say},
    workshop::Workshop,
};

const NAME: &str = "trolleybus";

pub(super) fn build(workshop: &Workshop) -> Result<()> {
    say("building the npm package");
    let folder = workshop.workspace.sdk_package();
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut wasm_pack = workshop.wasm_command("wasm-pack");
    wasm_pack
        .args(["--log-level", "error", "build"])
        .arg(workshop.workspace.sdk())
        .args([
            "--target",
            "web",
            "--mode",
            "no-install",
            "--profile",
            "wasm",
        ])
        // wasm-pack would skip a wasm-opt that it does not find; ours runs afterwards.
        .args(["--no-opt", "--no-gitignore", "--out-name", NAME])
        .args(["--", "--no-default-features", "--features", "npm"]);
    run(&mut wasm_pack).context("the npm package did not build")?;
    shrink(workshop, &folder, NAME)?;
    copy_licences(workshop.workspace.root(), &folder)?;
    finish_manifest(&folder)
}

/// The licence texts are at the workspace's root, where wasm-pack does not look.
fn copy_licences(root: &Path, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(root)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if name.to_string_lossy().starts_with("LICENSE") && path.is_file() {
            fs::copy(&path, folder.join(&name))
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Completes the package.json that wasm-pack made of Cargo.toml.
fn finish_manifest(folder: &Path) -> Result<()> {
    let path = folder.join("package.json");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let made: Map<String, Value> = serde_json::from_slice(&text)
        .with_context(|| format!("cannot parse {}", path.display()))?;
    let manifest = manifest(made, folder.join("snippets").is_dir());
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn manifest(mut manifest: Map<String, Value>, has_snippets: bool) -> Map<String, Value> {
    let (loader, types) = (format!("{NAME}.js"), format!("{NAME}.d.ts"));
    let wasm = format!("{NAME}_bg.wasm");
    let mut files = vec![
        loader.clone(),
        types.clone(),
        wasm.clone(),
        format!("{wasm}.d.ts"),
    ];
    if has_snippets {
        files.push("snippets".to_owned());
    }
    // TypeScript finds the types beside the loader.
    let exports = json!({
        ".": format!("./{loader}"),
        format!("./{wasm}"): format!("./{wasm}"),
        "./package.json": "./package.json",
    });
    manifest.extend([
        ("name".to_owned(), json!(NAME)),
        ("type".to_owned(), json!("module")),
        ("main".to_owned(), json!(loader)),
        ("module".to_owned(), json!(loader)),
        ("types".to_owned(), json!(types)),
        ("exports".to_owned(), exports),
        ("sideEffects".to_owned(), json!(false)),
        ("files".to_owned(), json!(files)),
    ]);
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_keeps_what_cargo_knows_and_is_named_for_npm() {
        let made = Map::from_iter([
            ("name".to_owned(), json!("trolleybus-client")),
            ("version".to_owned(), json!("0.1.0")),
        ]);
        let manifest = manifest(made, false);
        assert_eq!(manifest["name"], "trolleybus");
        assert_eq!(manifest["version"], "0.1.0");
        assert_eq!(manifest["exports"]["."], "./trolleybus.js");
        assert_eq!(manifest["files"].as_array().map(Vec::len), Some(4));
    }
}
