//! Making what wasm-pack wrote small: wasm-opt over the wasm, esbuild over its loader.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{process::run_captured, workshop::Workshop};

/// Shrinks `NAME_bg.wasm` and `NAME.js` in `folder`; the loader takes in what it imports.
pub(super) fn shrink(workshop: &Workshop, folder: &Path, name: &str) -> Result<()> {
    optimize(workshop, &folder.join(format!("{name}_bg.wasm")), &["--strip-target-features"])?;
    minify(workshop, &folder.join(format!("{name}.js")))
}

fn optimize(workshop: &Workshop, wasm: &Path, flags: &[&str]) -> Result<()> {
    // Flattening first lets the passes see more; twice, because the first leaves some behind.
    let mut all = vec!["--flatten", "--rereloop", "-Oz", "-Oz", "--converge"];
    // No Rust value lies in the first kilobyte, which is the far end of the stack.
    all.extend(["--low-memory-unused", "--strip-producers"]);
    all.extend(flags);
    run_wasm_opt(workshop, wasm, &all).map(drop)
}

/// Gives what wasm-opt has to tell.
fn run_wasm_opt(workshop: &Workshop, wasm: &Path, flags: &[&str]) -> Result<String> {
    let small = wasm.with_extension("wasm.small");
    let mut wasm_opt = workshop.command("wasm-opt");
    wasm_opt.args(flags).arg(wasm).arg("-o").arg(&small);
    let told = run_captured(&mut wasm_opt).context("wasm-opt failed")?;
    replace(wasm, &small)?;
    Ok(told)
}

/// Shrinks wasm, and gives what it and its loader call each other by names of a letter or two.
pub(super) fn optimize_and_rename(workshop: &Workshop, wasm: &Path, loader: &Path) -> Result<()> {
    optimize(workshop, wasm, &[])?;
    // Not above, where passes are repeated; the features are still known here.
    let flags = ["--minify-imports-and-exports-and-modules", "--strip-target-features"];
    let names = run_wasm_opt(workshop, wasm, &flags)?;
    let names = Names::parse(&names).context("wasm-opt told no names")?;
    let script =
        fs::read_to_string(loader).with_context(|| format!("cannot read {}", loader.display()))?;
    fs::write(loader, names.apply(&script))
        .with_context(|| format!("cannot write {}", loader.display()))
}

/// What wasm-opt renamed.
#[derive(Debug)]
struct Names {
    /// Module, name, and the new name; every module is `a` now.
    imports: Vec<[String; 3]>,
    /// Name and new name.
    exports: Vec<[String; 2]>,
}

impl Names {
    fn parse(text: &str) -> serde_json::Result<Self> {
        let mut names: Value = serde_json::from_str(text)?;
        let imports = serde_json::from_value(names["imports"].take())?;
        let exports = serde_json::from_value(names["exports"].take())?;
        Ok(Self { imports, exports })
    }

    fn apply(&self, script: &str) -> String {
        let mut script = script.to_owned();
        for [module, name, short] in &self.imports {
            script = script.replace(&format!("\"{module}\": import0"), "\"a\": import0");
            script = replace_word(&script, "", name, short);
        }
        for [name, short] in &self.exports {
            script = replace_word(&script, "wasm.", name, &format!("wasm.{short}"));
        }
        script
    }
}

/// Replaces `prefix` and `name` where the name ends there.
fn replace_word(script: &str, prefix: &str, name: &str, new: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$';
    let word = [prefix, name].concat();
    let (mut replaced, mut rest) = (String::with_capacity(script.len()), script);
    while let Some(at) = rest.find(&word) {
        let (before, behind) = (&rest[..at], &rest[at + word.len()..]);
        let whole = !before.ends_with(is_name) && !behind.starts_with(is_name);
        replaced.push_str(before);
        replaced.push_str(if whole { new } else { &word });
        rest = behind;
    }
    replaced.push_str(rest);
    replaced
}

fn minify(workshop: &Workshop, script: &Path) -> Result<()> {
    let small = script.with_extension("js.small");
    bundle(workshop, script, &small, &["--format=esm"])?;
    replace(script, &small)?;
    let imported = script.with_file_name("snippets");
    if imported.exists() {
        fs::remove_dir_all(&imported)
            .with_context(|| format!("cannot remove {}", imported.display()))?;
    }
    Ok(())
}

/// Writes `script` with all that it imports into one file.
pub(super) fn bundle(
    workshop: &Workshop,
    script: &Path,
    into: &Path,
    flags: &[impl AsRef<OsStr>],
) -> Result<()> {
    let mut esbuild = workshop.command("esbuild");
    esbuild
        .args(["--bundle", "--minify", "--target=es2022", "--charset=utf8"])
        .args(["--log-level=warning", "--legal-comments=none"])
        .args(flags)
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
    fn names_are_replaced_whole_and_in_their_place() {
        let pair = |name: &str, short: &str| [name.to_owned(), short.to_owned()];
        let names = Names {
            imports: vec![["./x.js".to_owned(), "__wbg_call_01".to_owned(), "a".to_owned()]],
            exports: vec![pair("bus_new", "b"), pair("bus_new_with", "c")],
        };
        let script =
            r#"{__wbg_call_01: f, "./x.js": import0} wasm.bus_new() wasm.bus_new_with() bus_new"#;
        let expected = r#"{a: f, "a": import0} wasm.b() wasm.c() bus_new"#;
        assert_eq!(names.apply(script), expected);
    }
}
