//! Suite `fuzz`: the fuzz targets over their corpus and over seeded mutations of it, without a fuzzer.

use anyhow::{Result, ensure};

use super::{LIMIT, passed_in_rust};
use crate::{process::run_counting, workshop::Workshop};

/// Mutations for each target.
const RUNS: &str = "20000";

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    let mut cargo = workshop.fuzz_command("cargo");
    cargo
        // The programs for the fuzzer are not needed here.
        .args(["test", "--lib"])
        .env("FUZZ_RUNS", RUNS);
    let passed = run_counting(&mut cargo, LIMIT, passed_in_rust)?;
    ensure!(passed > 0, "no target ran");
    Ok(())
}
