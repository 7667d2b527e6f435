//! Chromium with its driver, and Firefox, which is driven without one.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use super::{Tools, debian};
use crate::process::find;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];
const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];

pub(crate) fn provide(tools: &mut Tools) -> Result<()> {
    if chromium().is_none() || find("chromedriver").is_none() {
        debian::install(tools, &PACKAGES)?;
    }
    find("chromedriver").context("chromedriver is not on PATH")?;
    tools.chromium = Some(chromium().context("no Chromium on PATH")?);
    Ok(())
}

pub(crate) fn provide_firefox(tools: &mut Tools) -> Result<()> {
    if firefox().is_none() {
        debian::install(tools, &["firefox-esr", "fonts-dejavu-core"])?;
    }
    tools.firefox = Some(firefox().context("no Firefox on PATH")?);
    Ok(())
}

fn chromium() -> Option<PathBuf> {
    named_or_found("CHROMIUM", &BROWSERS)
}

fn firefox() -> Option<PathBuf> {
    named_or_found("FIREFOX", &FIREFOXES)
}

/// The browser that the environment names, or else the first one on PATH.
fn named_or_found(variable: &str, names: &[&str]) -> Option<PathBuf> {
    match env::var_os(variable) {
        Some(path) => Some(path.into()),
        None => names.iter().copied().find_map(find),
    }
}
