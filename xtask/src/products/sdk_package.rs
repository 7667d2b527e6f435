//! The npm package `trolleybus`: the client for browsers, as wasm with its loader and types.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::shrink::{bundle, optimize_and_rename};
use crate::{
    process::{run, say},
    workshop::Workshop,
};

const NAME: &str = "trolleybus";
const WASM: &str = "trolleybus_bg.wasm";
const LOADER: &str = "index.js";

/// What users import.
pub(crate) struct Entry {
    /// Without its extension; its source is `NAME.js` beneath `js/`, its types `NAME.d.ts`.
    pub(crate) name: &'static str,
    /// What stands behind the package's name to import it; nothing for what others load.
    path: Option<&'static str>,
    /// For `require` and plain scripts too: the name of the global. Its default export alone.
    global: Option<&'static str>,
}

/// The first is the loader, which the others leave where it is.
pub(crate) const ENTRIES: [Entry; 4] = [
    Entry { name: "index", path: Some("."), global: None },
    Entry { name: "vertx", path: Some("./vertx"), global: Some("EventBus") },
    // The loader loads it when it is wanted.
    Entry { name: "shared", path: None, global: None },
    // A SharedWorker's script, whole in itself; bundlers that do not find it are given it by its path. Its file
    // may come to lie beside a `worker.js` of the application.
    Entry { name: "trolleybus-worker", path: Some("./worker.js"), global: None },
];

/// What the loader leaves to be loaded when it is wanted.
const LAZY: &str = "shared.js";

/// A file of the package, by the format that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Module,
    /// For `require`.
    CommonJs,
    /// For a plain script.
    Global,
}

impl Format {
    fn file(self, name: &str) -> String {
        let extension = match self {
            Self::Module => "js",
            Self::CommonJs => "cjs",
            Self::Global => "global.js",
        };
        format!("{name}.{extension}")
    }

    fn flags(self, global: &str) -> Vec<String> {
        let flags = match self {
            Self::Module => "--format=esm".to_owned(),
            // The class itself, as CommonJS users have it, and `default` for those who go on.
            Self::CommonJs => {
                let exports = "module.exports";
                format!(
                    "--format=cjs --footer:js={exports}={exports}.default;{exports}.default={exports};"
                )
            }
            Self::Global => {
                format!(
                    "--format=iife --global-name={global} --footer:js={global}={global}.default;"
                )
            }
        };
        flags.split(' ').map(str::to_owned).collect()
    }
}

impl Entry {
    fn formats(&self) -> &'static [Format] {
        match self.global {
            Some(_) => &[Format::Module, Format::CommonJs, Format::Global],
            None => &[Format::Module],
        }
    }

    /// All its files in the package.
    fn files(&self) -> Vec<String> {
        let scripts = self.formats().iter().map(|format| format.file(self.name));
        scripts.chain(self.types()).collect()
    }

    fn types(&self) -> Vec<String> {
        let extensions = ["d.ts", "d.cts"].iter().take(self.global.iter().len() + 1);
        let named = extensions.map(|extension| format!("{}.{extension}", self.name));
        if self.path.is_some() { named.collect() } else { Vec::new() }
    }

    fn bundle(&self, workshop: &Workshop, made: &Path, folder: &Path) -> Result<()> {
        let script = made.join(Format::Module.file(self.name));
        for format in self.formats() {
            let mut flags = format.flags(self.global.unwrap_or_default());
            let left = if self.name == ENTRIES[0].name { LAZY } else { LOADER };
            flags.push(format!("--external:{}", made.join(left).display()));
            // Beside the loader, so that it finds that there.
            let packed = made.join(format!("{}.packed", format.file(self.name)));
            bundle(workshop, &script, &packed, &flags)?;
            let file = folder.join(format.file(self.name));
            fs::copy(&packed, &file).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// TypeScript finds the types beside each.
    fn exports(&self) -> Value {
        let relative = |format: Format| format!("./{}", format.file(self.name));
        match self.global {
            Some(_) => json!({
                "import": relative(Format::Module),
                "require": relative(Format::CommonJs),
            }),
            None => json!(relative(Format::Module)),
        }
    }
}

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
    for rooms in ["", "shared"] {
        let room = made.join(rooms);
        fs::create_dir_all(&room).with_context(|| format!("cannot create {}", room.display()))?;
        copy_all(&sources.join(rooms), &room, |name| name.ends_with(".js"))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for entry in &ENTRIES {
        entry.bundle(workshop, &made, &folder)?;
        for types in entry.types() {
            let source = sources.join(format!("{}.d.ts", entry.name));
            copy_types(&source, &folder.join(types), entry.global)?;
        }
    }
    copy_all(&made, &folder, |name| [WASM, "package.json"].contains(&name))?;
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

/// Copies types; `require` gives the default export itself, which has itself as `default`.
fn copy_types(from: &Path, to: &Path, global: Option<&str>) -> Result<()> {
    let mut types =
        fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
    if let (Some(name), Some("cts")) = (global, to.extension().and_then(OsStr::to_str)) {
        let default = format!("export default {name};");
        ensure!(types.contains(&default), "no `{default}` in {}", from.display());
        let required = format!(
            "declare namespace {name} {{\n  export {{ {name} as default }};\n}}\n\nexport = {name};"
        );
        types = types.replace(&default, &required);
    }
    fs::write(to, types).with_context(|| format!("cannot write {}", to.display()))
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
    let others =
        [WASM, "package.json"].map(|file| (format!("./{file}"), json!(format!("./{file}"))));
    let entries =
        ENTRIES.iter().filter_map(|entry| Some((entry.path?.to_owned(), entry.exports())));
    let exports: Map<_, _> = entries.chain(others).collect();
    let files: Vec<String> =
        ENTRIES.iter().flat_map(Entry::files).chain([WASM.to_owned()]).collect();
    manifest.extend([
        ("name".to_owned(), json!(NAME)),
        ("type".to_owned(), json!("module")),
        ("main".to_owned(), json!(LOADER)),
        ("module".to_owned(), json!(LOADER)),
        ("types".to_owned(), json!("index.d.ts")),
        ("exports".to_owned(), json!(exports)),
        // Node 20.16 is the first that gives its modules by `process.getBuiltinModule`.
        ("engines".to_owned(), json!({ "node": ">=20.16" })),
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
            ("name".to_owned(), json!("trolleybus-npm")),
            ("version".to_owned(), json!("0.1.0")),
        ]);
        let manifest = manifest(made);
        assert_eq!(manifest["name"], "trolleybus");
        assert_eq!(manifest["version"], "0.1.0");
        assert_eq!(manifest["exports"]["."], "./index.js");
        assert_eq!(manifest["exports"]["./vertx"]["require"], "./vertx.cjs");
        assert_eq!(manifest["exports"]["./vertx"]["import"], "./vertx.js");
        let files = ["index.js", "index.d.ts", "vertx.js", "vertx.cjs", "vertx.global.js"];
        let worker = ["trolleybus-worker.js", "trolleybus-worker.d.ts"];
        let more = ["vertx.d.ts", "vertx.d.cts", "shared.js", worker[0], worker[1], WASM];
        assert_eq!(manifest["files"], json!([&files[..], &more[..]].concat()));
        assert_eq!(manifest["exports"]["./worker.js"], "./trolleybus-worker.js");
    }
}
