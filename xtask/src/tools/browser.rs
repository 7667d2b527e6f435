//! Chromium and its driver.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use super::{Tools, debian};
use crate::process::find;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

pub(crate) fn provide(tools: &mut Tools) -> Result<()> {
    if chromium().is_none() || find("chromedriver").is_none() {
        debian::install(tools, &PACKAGES)?;
    }
    find("chromedriver").context("chromedriver is not on PATH")?;
    tools.chromium = Some(chromium().context("no Chromium on PATH")?);
    Ok(())
}

/// The browser that the environment names, or else the first one on PATH.
fn chromium() -> Option<PathBuf> {
    match env::var_os("CHROMIUM") {
        Some(path) => Some(path.into()),
        None => BROWSERS.into_iter().find_map(find),
    }
}
