//! The examples in Rust, built as their README says, each in a folder that a server can serve.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    process::{run, say},
    workshop::Workshop,
};

const EXAMPLES: [&str; 2] = ["leptos", "yew"];

pub(crate) fn build(workshop: &Workshop) -> Result<()> {
    say("building the examples in Rust");
    EXAMPLES.into_iter().try_for_each(|name| build_one(workshop, name))
}

fn build_one(workshop: &Workshop, name: &str) -> Result<()> {
    let source = workshop.workspace.examples().join(name);
    let folder = workshop.workspace.rust_examples().join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut wasm_pack = workshop.wasm_command("wasm-pack");
    wasm_pack
        .args(["--log-level", "error", "build"])
        .arg(&source)
        // Quick to build rather than small: these are to be run, not to be downloaded.
        .args(["--target", "web", "--mode", "no-install", "--dev"])
        .args(["--no-gitignore", "--no-pack", "--no-typescript", "--out-dir"])
        .arg(folder.join("pkg"))
        // A workspace of their own would have a folder of its own, with all dependencies again.
        .env("CARGO_TARGET_DIR", workshop.workspace.target());
    run(&mut wasm_pack).with_context(|| format!("the example {name} did not build"))?;
    for page in ["index.html", "load.js"] {
        let from = source.join(page);
        fs::copy(&from, folder.join(page))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
