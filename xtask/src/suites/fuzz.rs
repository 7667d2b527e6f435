//! Suite `fuzz`: the fuzz targets over their corpus and over seeded mutations of it, without a fuzzer.

use anyhow::{Result, ensure};

use super::{LIMIT, passed_in_rust};
use crate::{process::run_counting, workshop::Workshop};

/// Mutations for each target.
const RUNS: &str = "20000";

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    // A workspace of its own, so cargo works in its folder.
    let mut cargo = workshop.command("cargo");
    cargo
        .arg("test")
        .current_dir(workshop.workspace.tests().join("fuzz"))
        .env("CARGO_TARGET_DIR", workshop.workspace.target().join("fuzz"))
        .env("FUZZ_RUNS", RUNS);
    let passed = run_counting(&mut cargo, LIMIT, passed_in_rust)?;
    ensure!(passed > 0, "no target ran");
    Ok(())
}
