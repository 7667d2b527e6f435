//! How much browsers download, and how much that may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::gzip;

/// What a page downloads of the npm package.
pub(crate) const NPM_FILES: [&str; 2] = ["index.js", "trolleybus_bg.wasm"];

/// Bytes that these files may have, each gzipped at its best: 40 KiB, which is what we promise
/// users. Whoever has to raise it tells them.
const NPM_BUDGET: usize = 40 << 10;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) raw: usize,
    pub(crate) gzipped: usize,
}

impl Size {
    /// Of some files together, each gzipped by itself.
    pub(crate) fn of(files: &[PathBuf]) -> Result<Self> {
        let mut size = Self { raw: 0, gzipped: 0 };
        for file in files {
            let bytes =
                fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            size.raw += bytes.len();
            size.gzipped += gzip::compress(file)?.len();
        }
        Ok(size)
    }
}

/// Fails when the npm package in `folder` has grown beyond its budget.
pub(crate) fn check_npm_package(folder: &Path) -> Result<()> {
    within_budget(Size::of(&NPM_FILES.map(|file| folder.join(file)))?)
}

fn within_budget(Size { gzipped, .. }: Size) -> Result<()> {
    ensure!(
        gzipped <= NPM_BUDGET,
        "the npm package has {gzipped} bytes gzipped, and may have {NPM_BUDGET}; \
         `cargo xtask size` shows what has grown"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_over_the_budget_is_too_much() {
        let size = |gzipped| Size { raw: 0, gzipped };
        assert!(within_budget(size(NPM_BUDGET)).is_ok());
        assert!(within_budget(size(NPM_BUDGET + 1)).is_err());
    }
}
