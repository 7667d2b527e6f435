//! A Rust toolchain that builds for `wasm32-unknown-unknown`.
//!
//! In this order: what works already; what an earlier run made from Debian's packages; `rustup
//! target add`; Debian's own rustc with the standard library built once (`debian-wasm.sh`).

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{Tools, debian};
use crate::process::{find, run, run_bounded, run_captured, say};

const TARGET: &str = "wasm32-unknown-unknown";
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);
/// The name under which rustup knows Debian's toolchain.
const DEBIAN_TOOLCHAIN: &str = "debian-wasm";
const DEBIAN_SCRIPT: &str = include_str!("debian-wasm.sh");

/// Which toolchain builds the wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WasmToolchain {
    /// The one that is active anyway.
    Active,
    /// Debian's, through rustup.
    DebianLinked,
    /// Debian's, on a machine without rustup.
    DebianPlain,
}

impl WasmToolchain {
    /// Makes cargo and rustc under `command` those of this toolchain.
    pub(super) fn apply(self, command: &mut Command, path: &OsStr) {
        match self {
            Self::Active => return,
            Self::DebianLinked => {
                command.env("RUSTUP_TOOLCHAIN", DEBIAN_TOOLCHAIN);
            }
            Self::DebianPlain => {
                command.env("PATH", in_front_of(path, "/usr/bin"));
            }
        }
        // `cargo run` points this at the other toolchain's libraries.
        command.env_remove("LD_LIBRARY_PATH");
    }
}

fn in_front_of(path: &OsStr, folder: &str) -> OsString {
    let mut extended = OsString::from(folder);
    extended.push(":");
    extended.push(path);
    extended
}

pub(crate) fn provide(tools: &mut Tools) -> Result<()> {
    if works(tools, WasmToolchain::Active) {
        return Ok(());
    }
    let debian_toolchain = if find("rustup").is_some() {
        WasmToolchain::DebianLinked
    } else {
        WasmToolchain::DebianPlain
    };
    if !works(tools, debian_toolchain) {
        if add_with_rustup(tools) {
            return Ok(());
        }
        build_from_debian(tools, debian_toolchain)?;
    }
    say("the wasm is built with Debian's Rust toolchain");
    tools.wasm = debian_toolchain;
    Ok(())
}

fn add_with_rustup(tools: &Tools) -> bool {
    if find("rustup").is_none() {
        return false;
    }
    say(&format!("rustup target add {TARGET}"));
    let mut rustup = tools.command("rustup");
    match run_bounded(rustup.args(["target", "add", TARGET]), RUSTUP_LIMIT) {
        Ok(_) => works(tools, WasmToolchain::Active),
        Err(error) => {
            say(&format!("rustup could not: {error:#}"));
            false
        }
    }
}

fn build_from_debian(tools: &Tools, toolchain: WasmToolchain) -> Result<()> {
    ensure!(
        debian::is_root() && debian::is_debian(),
        "Rust has no target {TARGET} here; install it with: rustup target add {TARGET}"
    );
    let _lock = tools.cache.lock()?;
    let script = tools.cache.root().join(".debian-wasm.sh");
    fs::write(&script, DEBIAN_SCRIPT)
        .with_context(|| format!("cannot write {}", script.display()))?;
    let mut bash = tools.command("bash");
    bash.arg(&script)
        .arg(DEBIAN_TOOLCHAIN)
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTUP_TOOLCHAIN");
    run(&mut bash).context("Debian's Rust could not be made to build wasm")?;
    prove(tools, toolchain).context("Debian's Rust still does not build wasm")
}

/// Whether the toolchain builds the proof, now or on record for this very rustc.
fn works(tools: &Tools, toolchain: WasmToolchain) -> bool {
    let Some(identity) = identity(tools, toolchain) else {
        return false;
    };
    let record = tools.cache.root().join(".wasm-target-works");
    let known = fs::read_to_string(&record).unwrap_or_default();
    if known.lines().any(|line| line == identity) {
        return true;
    }
    if prove(tools, toolchain).is_err() {
        return false;
    }
    // Without the record the next run proves it again.
    drop(fs::write(&record, format!("{known}{identity}\n")));
    true
}

/// The rustc and its standard library for the target, if it has one.
fn identity(tools: &Tools, toolchain: WasmToolchain) -> Option<String> {
    let version = rustc(tools, toolchain, &["-vV"])?;
    let hash = version.lines().find(|line| line.starts_with("commit-hash"))?;
    let folder = rustc(tools, toolchain, &["--print", "target-libdir", "--target", TARGET])?;
    let library = standard_library(Path::new(folder.trim()))?;
    Some(format!("{hash} {}", library.display()))
}

fn rustc(tools: &Tools, toolchain: WasmToolchain, arguments: &[&str]) -> Option<String> {
    let mut rustc = tools.command("rustc");
    toolchain.apply(&mut rustc, &tools.path);
    run_captured(rustc.args(arguments).current_dir(tools.cache.root())).ok()
}

fn standard_library(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    files
        .find(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        .map(|file| file.path())
}

/// Builds a crate that allocates, can panic, calculates and is optimized across crates.
fn prove(tools: &Tools, toolchain: WasmToolchain) -> Result<()> {
    let folder = env::temp_dir().join(format!("wasm-proof-{}", process::id()));
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), PROOF_MANIFEST)?;
    fs::write(folder.join("src/lib.rs"), PROOF_SOURCE)?;
    let mut cargo = tools.command("cargo");
    toolchain.apply(&mut cargo, &tools.path);
    cargo
        .args(["build", "--quiet", "--release", "--offline", "--target", TARGET])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    let built = run_captured(&mut cargo);
    fs::remove_dir_all(&folder)?;
    built.map(drop)
}

const PROOF_MANIFEST: &str = r#"
[package]
name = "wasm_proof"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[workspace]
[profile.release]
lto = true
panic = "abort"
"#;

const PROOF_SOURCE: &str = r#"
#[unsafe(no_mangle)]
pub extern "C" fn probe(n: u32) -> u64 {
    let mut v: Vec<String> = (0..n).map(|i| format!("{:.2}", f64::from(i) / 3.0)).collect();
    v.sort();
    let sum: u128 = v.iter().map(|x| x.len() as u128).sum::<u128>() * 1_000_000_007;
    (sum % 998_244_353) as u64
}
"#;
