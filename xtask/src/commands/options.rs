//! Options of a program in Node, checked before anything is built or measured for it.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{process::typed, workshop::Workshop};

/// The exit status of a check that turns its options down.
const MISUSED: i32 = 2;

/// What `script` says against `args`: the text for whoever typed them, or nothing where they make sense.
pub(super) fn complaint(
    workshop: &Workshop,
    script: &Path,
    args: &[String],
) -> Result<Option<String>> {
    let mut node = workshop.command("node");
    node.arg(script).args(args);
    let output = node.output().with_context(|| format!("cannot run `{}`", typed(&node)))?;
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(None),
        Some(MISUSED) => Ok(Some(text)),
        _ => bail!("`{}` ended with {}:\n{text}", typed(&node), output.status),
    }
}
