//! Gzip, at its best level, by the program of that name.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Smaller files gain nothing.
const WORTHWHILE: u64 = 1024;
const TEXTUAL: [&str; 5] = ["js", "wasm", "css", "html", "svg"];

/// The content of `file`, compressed.
pub(crate) fn compress(file: &Path) -> Result<Vec<u8>> {
    // -n leaves the name and time out: the same content gives the same bytes.
    let output = Command::new("gzip")
        .args(["-9", "-n", "-c"])
        .arg(file)
        .output()
        .context("cannot run gzip")?;
    ensure!(
        output.status.success(),
        "gzip failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}

/// Writes a `.gz` next to every file under `folder` that is worth it.
pub(super) fn compress_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            compress_all(&path)?;
        } else if is_worthwhile(&path)? {
            let compressed = with_gz(&path);
            fs::write(&compressed, compress(&path)?)
                .with_context(|| format!("cannot write {}", compressed.display()))?;
        }
    }
    Ok(())
}

fn is_worthwhile(file: &Path) -> Result<bool> {
    let extension = file.extension().unwrap_or_default();
    Ok(TEXTUAL.iter().any(|name| extension == *name) && file.metadata()?.len() > WORTHWHILE)
}

fn with_gz(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}
