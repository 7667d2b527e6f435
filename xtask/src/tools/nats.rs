//! nats-server, for `cargo xtask versus` alone: from PATH, from Go's registry, or from Debian.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{Tools, debian::is_debian};
use crate::process::{find, run_bounded, run_captured};

/// The release that users get today, built by Go.
const VERSION: &str = "2.15.2";
const LIMIT: Duration = Duration::from_secs(600);

/// The program and its version.
pub(crate) fn provide(tools: &Tools) -> Result<(PathBuf, String)> {
    let program = match find("nats-server") {
        Some(program) => program,
        None => by_go(tools).or_else(|error| {
            by_debian(tools).map_err(|debian| debian.context(format!("{error:#}")))
        })?,
    };
    let says = run_captured(tools.command(&program).arg("--version"))?;
    let version = says.trim().rsplit(['v', ' ']).next().unwrap_or_default().to_owned();
    Ok((program, version))
}

fn by_go(tools: &Tools) -> Result<PathBuf> {
    if find("go").is_none() {
        bail!("there is no `go`");
    }
    let is_whole = |folder: &Path| folder.join("nats-server").is_file();
    let folder = tools.cache.tool(&format!("nats-server-{VERSION}"), is_whole, |folder| {
        let mut go = tools.command("go");
        go.arg("install")
            .arg(format!("github.com/nats-io/nats-server/v2@v{VERSION}"))
            .env("GOBIN", folder);
        run_bounded(&mut go, LIMIT).map(drop)
    })?;
    Ok(folder.join("nats-server"))
}

/// Out of the package, which is not installed: that would start a service.
fn by_debian(tools: &Tools) -> Result<PathBuf> {
    if !is_debian() {
        bail!("this is no Debian, which has a package of it");
    }
    let program = "usr/bin/nats-server";
    let is_whole = |folder: &Path| folder.join(program).is_file();
    let folder = tools.cache.tool("nats-server-debian", is_whole, |folder| {
        fs::create_dir_all(folder)?;
        let mut download = tools.command("apt-get");
        download.args(["-q", "download", "nats-server"]).current_dir(folder);
        run_bounded(&mut download, LIMIT)?;
        let files = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
        let package = files.into_iter().find(|file| file.extension().is_some_and(|e| e == "deb"));
        let package = package.context("apt-get downloaded no package")?;
        run_captured(tools.command("dpkg-deb").arg("-x").arg(package).arg(folder)).map(drop)
    })?;
    Ok(folder.join(program))
}
