//! Suites `interop`, `packages`, `rust-examples` and `e2e`: node's test runner over the files of a
//! folder in `tests`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use super::LIMIT;
use crate::{
    process::{lifelong, run_counting},
    workshop::Workshop,
};

pub(super) fn run_interop(workshop: &Workshop) -> Result<()> {
    run(workshop, "interop")
}

pub(super) fn run_packages(workshop: &Workshop) -> Result<()> {
    run(workshop, "packages")
}

pub(super) fn run_rust_examples(workshop: &Workshop) -> Result<()> {
    run(workshop, "rust-examples")
}

pub(super) fn run_e2e(workshop: &Workshop) -> Result<()> {
    run(workshop, "e2e")
}

fn run(workshop: &Workshop, folder: &str) -> Result<()> {
    let files = test_files(&workshop.workspace.tests().join(folder));
    ensure!(!files.is_empty(), "there are no tests yet in tests/{folder}");
    let mut node = workshop.node_test_command();
    node.args(["--test", "--test-reporter=spec"]).args(files);
    let passed = run_counting(&mut lifelong(node), LIMIT, passed_in_node)?;
    ensure!(passed > 0, "no test ran");
    Ok(())
}

fn test_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    files
}

/// How many tests passed, if `line` is that line of the summary: `ℹ pass 3`.
fn passed_in_node(line: &str) -> Option<u64> {
    line.strip_prefix("ℹ pass ")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        assert_eq!(passed_in_node("ℹ pass 3"), Some(3));
        assert_eq!(passed_in_node("✔ pass 3"), None);
    }
}
