//! Debian's packages, for the machines that have them.

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::{Context, Result, ensure};

use super::Tools;
use crate::process::{run_captured, say};

/// Installs packages, or says how to.
pub(crate) fn install(tools: &Tools, packages: &[&str]) -> Result<()> {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    ensure!(
        is_root() && is_debian(),
        "missing: {}; as root on Debian: {line}",
        packages.join(", ")
    );
    let _lock = tools.cache.lock()?;
    say(&line);
    apt_get(tools, &["update"])?;
    let arguments = ["install", "-y", "--no-install-recommends"];
    apt_get(tools, &[&arguments[..], packages].concat())
}

fn apt_get(tools: &Tools, arguments: &[&str]) -> Result<()> {
    let mut command = tools.command("apt-get");
    command
        .args(["-q", "-o", "DPkg::Lock::Timeout=600"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run_captured(&mut command).map(drop).context("Debian's packages could not be installed")
}

pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

pub(super) fn is_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|release| {
        release.lines().any(|line| line.starts_with("ID") && line.contains("debian"))
    })
}
