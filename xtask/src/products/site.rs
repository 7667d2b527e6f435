//! The site that the server serves: the static files, `/sdk/` with the npm package, `/app/` with the UI,
//! `/guide/` and `/reference/`.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result};

use super::{guide, gzip, reference, sdk_package, ui_bundle};
use crate::{process::say, workshop::Workshop, workspace::Workspace};

pub(crate) fn build(workshop: &mut Workshop) -> Result<()> {
    let _lock = lock(&workshop.workspace)?;
    sdk_package::build(workshop)?;
    ui_bundle::build(workshop)?;
    say("assembling the site");
    assemble(workshop)
}

/// Waits until no other xtask builds in this workspace; the lock lasts as long as the file.
fn lock(workspace: &Workspace) -> Result<File> {
    let path = workspace.target().join(".xtask-build.lock");
    fs::create_dir_all(workspace.target())?;
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock().context("cannot lock the build")?;
    Ok(file)
}

/// Puts the site together beside the old one and then in its place.
fn assemble(workshop: &Workshop) -> Result<()> {
    let workspace = &workshop.workspace;
    let (site, new, old) =
        (workspace.site(), workspace.target().join("www.new"), workspace.target().join("www.old"));
    remove(&new)?;
    copy(&workspace.site_sources(), &new)?;
    copy(&workspace.sdk_package(), &new.join("sdk"))?;
    copy(&workspace.ui().join("static"), &new.join("app"))?;
    copy(&workspace.ui_package(), &new.join("app"))?;
    guide::build(workspace, &new)?;
    reference::build(workshop, &new.join("reference"))?;
    gzip::compress_all(&new)?;
    remove(&old)?;
    if site.exists() {
        fs::rename(&site, &old)?;
    }
    fs::rename(&new, &site).context("cannot put the new site in place")?;
    remove(&old)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Copies a folder with all that is in it, except hidden files.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let entries =
        fs::read_dir(from).with_context(|| format!("cannot read the folder {}", from.display()))?;
    for entry in entries {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let target = to.join(&name);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
