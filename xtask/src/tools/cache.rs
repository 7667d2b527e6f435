//! The folder in which installed tools outlive a checkout, one folder per name and version.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, ensure};

use crate::process::say;

#[derive(Debug)]
pub(super) struct ToolCache {
    root: PathBuf,
}

impl ToolCache {
    pub(super) fn open() -> Result<Self> {
        let root = root()?;
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        Ok(Self { root })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Waits until no other xtask installs anything; the lock lasts as long as the file.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.root.join(".lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// The folder of the tool `name`, installed by `install` into a folder of another name first,
    /// so that an interrupted installation is never taken for a whole one.
    pub(super) fn tool(
        &self,
        name: &str,
        is_whole: impl Fn(&Path) -> bool,
        install: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.root.join(name);
        if is_whole(&folder) {
            return Ok(folder);
        }
        let _lock = self.lock()?;
        if is_whole(&folder) {
            return Ok(folder);
        }
        self.sweep(name)?;
        let unfinished = self.root.join(format!(".{name}.{}", process::id()));
        say(&format!("installing {name} into {}", self.root.display()));
        install(&unfinished).with_context(|| format!("cannot install {name}"))?;
        ensure!(is_whole(&unfinished), "{name} was installed but does not run");
        remove(&folder)?;
        fs::rename(&unfinished, &folder)
            .with_context(|| format!("cannot rename to {}", folder.display()))?;
        Ok(folder)
    }

    /// Removes what interrupted installations of `name` left.
    fn sweep(&self, name: &str) -> Result<()> {
        let prefix = format!(".{name}.");
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn root() -> Result<PathBuf> {
    if let Some(root) = set("TROLLEYBUS_TOOLS") {
        return std::path::absolute(root).context("TROLLEYBUS_TOOLS is not a path");
    }
    let cache = match set("XDG_CACHE_HOME") {
        Some(cache) => cache,
        None => set("HOME")
            .context("neither TROLLEYBUS_TOOLS nor XDG_CACHE_HOME nor HOME is set")?
            .join(".cache"),
    };
    Ok(cache.join("trolleybus/tools"))
}

/// An environment variable that is there and not empty.
fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn cache(test: &str) -> ToolCache {
        let root = env::temp_dir().join(format!("xtask-cache-{test}-{}", process::id()));
        fs::create_dir_all(&root).unwrap();
        ToolCache { root }
    }

    fn write(folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        Ok(fs::write(folder.join("whole"), "")?)
    }

    fn is_whole(folder: &Path) -> bool {
        folder.join("whole").exists()
    }

    #[test]
    fn a_tool_is_installed_once() {
        let cache = cache("once");
        let first = cache.tool("t-1", is_whole, write).unwrap();
        let second = cache.tool("t-1", is_whole, |_| bail!("installed twice"));
        assert_eq!(first, second.unwrap());
        remove(&cache.root).unwrap();
    }

    #[test]
    fn what_an_interrupted_installation_left_is_swept() {
        let cache = cache("sweep");
        fs::create_dir_all(cache.root.join(".t-1.123456")).unwrap();
        fs::create_dir_all(cache.root.join("t-1")).unwrap();
        let folder = cache.tool("t-1", is_whole, write).unwrap();
        assert!(is_whole(&folder));
        assert!(!cache.root.join(".t-1.123456").exists());
        remove(&cache.root).unwrap();
    }

    #[test]
    fn a_tool_that_does_not_run_is_refused() {
        let cache = cache("refused");
        let refused = cache.tool("t-1", |_| false, write);
        assert!(refused.unwrap_err().to_string().contains("does not run"));
        remove(&cache.root).unwrap();
    }
}
