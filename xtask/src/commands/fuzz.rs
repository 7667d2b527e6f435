//! `cargo xtask fuzz`: the fuzz targets with a fuzzer, which looks for inputs that reach new code.

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use super::Outcome;
use crate::{
    process::{find, run as run_child, run_captured, say},
    tools::cargo_tools,
    workshop::Workshop,
};

/// For each target, unless told.
const SECONDS: u64 = 60;

pub(super) fn run(args: &[String]) -> Result<Outcome> {
    let (target, seconds) = match args {
        [] => (None, SECONDS),
        [one] => one.parse().map_or((Some(one), SECONDS), |seconds| (None, seconds)),
        [target, seconds] => match seconds.parse() {
            Ok(seconds) => (Some(target), seconds),
            Err(_) => return Ok(Outcome::Misused(format!("`{seconds}` is no number of seconds"))),
        },
        _ => return Ok(Outcome::Misused("usage: cargo xtask fuzz [TARGET] [SECONDS]".to_owned())),
    };
    if find("c++").is_none() {
        bail!("the fuzzer's library is C++, and there is no `c++`: install g++ or clang");
    }
    let mut workshop = Workshop::open()?;
    cargo_tools::provide_fuzzer(&mut workshop)?;
    let all =
        run_captured(workshop.fuzz_command("cargo").args(["fuzz", "list", "--fuzz-dir", "."]))?;
    let wanted: Vec<&str> =
        all.lines().filter(|name| target.is_none_or(|target| target == name)).collect();
    ensure!(!wanted.is_empty(), "no such target; there are: {}", all.replace('\n', " "));
    for name in wanted {
        say(&format!("--- {name}, {seconds} s"));
        fuzz(&workshop, name, seconds)?;
    }
    Ok(Outcome::Done)
}

fn fuzz(workshop: &Workshop, name: &str, seconds: u64) -> Result<()> {
    // What is new stays out of the repository until somebody puts it there.
    let found = workshop.workspace.target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let mut cargo = workshop.fuzz_command("cargo");
    cargo
        .args(["fuzz", "run", "--fuzz-dir", ".", "--sanitizer", "none", "--target-dir"])
        .arg(workshop.workspace.target().join("fuzz"))
        .arg(name)
        .arg(found)
        .arg(workshop.workspace.fuzz().join("corpus").join(name))
        .args(["--", "-max_len=4096", "-timeout=20"])
        .arg(format!("-max_total_time={seconds}"))
        // Coverage is a matter of flags that stable Rust does not let pass by itself.
        .env("RUSTC_BOOTSTRAP", "1");
    run_child(&mut cargo)
}
