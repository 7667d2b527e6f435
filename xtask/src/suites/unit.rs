//! Suite `unit`: all of Rust's tests that run natively.

use anyhow::{Result, ensure};

use super::{LIMIT, passed_in_rust};
use crate::{process::run_counting, workshop::Workshop};

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    let mut cargo = workshop.command("cargo");
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    let passed = run_counting(&mut cargo, LIMIT, passed_in_rust)?;
    ensure!(passed > 0, "there are no tests");
    let mut cargo = workshop.command("cargo");
    cargo.args(["test", "--package", "trolleybus-tests", "--features", "otel", "--test", "otel"]);
    let passed = run_counting(&mut cargo, LIMIT, passed_in_rust)?;
    ensure!(passed > 0, "there are no tests of the feature otel");
    Ok(())
}
