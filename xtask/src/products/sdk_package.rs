//! The npm package `trolleybus`: the client for browsers, as wasm with its loader and types.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::shrink::{bundle, optimize_and_rename};
use crate::{
    process::{run, say},
    workshop::Workshop,
};

const NAME: &str = "trolleybus";
const WASM: &str = "trolleybus_bg.wasm";
const LOADER: &str = "index.js";
const TYPES: &str = "index.d.ts";

pub(super) fn build(workshop: &Workshop) -> Result<()> {
    say("building the npm package");
    let workspace = &workshop.workspace;
    let (folder, made) = (workspace.sdk_package(), workspace.target().join("npm-pkg"));
    for old in [&folder, &made] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    compile(workshop, &made)?;
    let glue = made.join(format!("{NAME}.js"));
    open_glue(&glue)?;
    optimize_and_rename(workshop, &made.join(WASM), &glue)?;
    let sources = workspace.npm().join("js");
    copy_all(&sources, &made, |name| name.ends_with(".js"))?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    bundle(workshop, &made.join(LOADER), &folder.join(LOADER))?;
    copy_all(&made, &folder, |name| [WASM, "package.json"].contains(&name))?;
    copy_all(&sources, &folder, |name| name == TYPES)?;
    copy_all(&workspace.npm(), &folder, |name| name == "README.md")?;
    // wasm-pack does not look for the licences at the workspace's root.
    copy_all(workspace.root(), &folder, |name| name.starts_with("LICENSE"))?;
    finish_manifest(&folder)
}

fn compile(workshop: &Workshop, folder: &Path) -> Result<()> {
    let mut wasm_pack = workshop.wasm_command("wasm-pack");
    wasm_pack
        .args(["--log-level", "error", "build"])
        .arg(workshop.workspace.npm())
        .args(["--target", "web", "--mode", "no-install"])
        // wasm-pack would skip a wasm-opt that it does not find; ours runs afterwards.
        .args(["--profile", "wasm", "--no-opt", "--no-gitignore"])
        .args(["--no-typescript", "--out-dir"])
        .arg(folder);
    run(&mut wasm_pack).context("the npm package did not build")
}

/// Lets `js/module.js` start the module by itself, so that what wasm-bindgen has for that is left
/// out of the bundle.
fn open_glue(glue: &Path) -> Result<()> {
    let mut script =
        fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    script.push_str("export { __wbg_get_imports, __wbg_finalize_init };\n");
    fs::write(glue, script).with_context(|| format!("cannot write {}", glue.display()))
}

/// Copies the files of one folder whose names fit.
fn copy_all(from: &Path, to: &Path, fits: impl Fn(&str) -> bool) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if fits(&name.to_string_lossy()) && path.is_file() {
            fs::copy(&path, to.join(&name))
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
    let manifest = manifest(made);
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn manifest(mut manifest: Map<String, Value>) -> Map<String, Value> {
    let relative = |file: &str| format!("./{file}");
    // TypeScript finds the types beside the loader.
    let exports = json!({
        ".": relative(LOADER),
        relative(WASM): relative(WASM),
        "./package.json": "./package.json",
    });
    manifest.extend([
        ("name".to_owned(), json!(NAME)),
        ("type".to_owned(), json!("module")),
        ("main".to_owned(), json!(LOADER)),
        ("module".to_owned(), json!(LOADER)),
        ("types".to_owned(), json!(TYPES)),
        ("exports".to_owned(), exports),
        ("sideEffects".to_owned(), json!(false)),
        ("files".to_owned(), json!([LOADER, TYPES, WASM])),
    ]);
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_keeps_what_cargo_knows_and_is_named_for_npm() {
        let made = Map::from_iter([
            ("name".to_owned(), json!("trolleybus-npm")),
            ("version".to_owned(), json!("0.1.0")),
        ]);
        let manifest = manifest(made);
        assert_eq!(manifest["name"], "trolleybus");
        assert_eq!(manifest["version"], "0.1.0");
        assert_eq!(manifest["exports"]["."], "./index.js");
        assert_eq!(manifest["files"].as_array().map(Vec::len), Some(3));
    }
}
