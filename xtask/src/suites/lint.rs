//! Suite `lint`: clippy, natively for all but the UI, and for wasm where the code is for browsers.

use std::process::Command;

use anyhow::Result;

use crate::{
    process::{run as run_child, say},
    workshop::Workshop,
};

const NATIVE: &[&str] = &["--workspace", "--exclude", "trolleybus-ui", "--all-targets"];

/// What is compiled only with a feature.
const FEATURES: &[&str] =
    &["--package", "trolleybus-tests", "--features", "otel", "--test", "otel"];

/// The browser's crates, as they are tested and as npm has them.
const WASM: [&[&str]; 4] = [
    &["--package", "trolleybus-client", "--all-targets"],
    &["--package", "trolleybus-yew", "--all-targets"],
    &["--package", "trolleybus-npm"],
    &["--package", "trolleybus-ui", "--all-targets"],
];

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    // One after the other, to the end: all complaints in one run.
    let native = clippy(workshop.command("cargo"), NATIVE);
    let features = clippy(workshop.command("cargo"), FEATURES);
    let fuzz = clippy(workshop.fuzz_command("cargo"), &["--all-targets"]);
    let wasm = WASM.map(|arguments| lint_wasm(workshop, workshop.wasm_command("cargo"), arguments));
    let examples = lint_wasm(workshop, workshop.wasm_examples_command("cargo"), &["--workspace"]);
    [native, features, fuzz, examples].into_iter().chain(wasm).collect()
}

fn clippy(mut cargo: Command, arguments: &[&str]) -> Result<()> {
    cargo.args(["clippy", "--keep-going"]).args(arguments);
    run_child(cargo.args(["--", "-D", "warnings"]))
}

fn lint_wasm(workshop: &Workshop, mut cargo: Command, arguments: &[&str]) -> Result<()> {
    if workshop.tools.has_wasm_clippy() {
        cargo.args(["clippy", "--keep-going"]);
    } else {
        say("Debian's Rust has no clippy; checking for warnings only");
        cargo.args(["check", "--keep-going"]);
    }
    cargo
        .args(["--target", "wasm32-unknown-unknown"])
        .args(arguments)
        // The browser tests want a server's URL at compile time; nothing runs here.
        .env("TROLLEYBUS_TEST_URL", "http://127.0.0.1:9");
    if workshop.tools.has_wasm_clippy() {
        cargo.args(["--", "-D", "warnings"]);
    } else {
        cargo.env("RUSTFLAGS", "-Dwarnings");
    }
    run_child(&mut cargo)
}
