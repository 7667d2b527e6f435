//! `cargo xtask demo`: builds everything and becomes the demo server.

use std::os::unix::process::CommandExt;

use anyhow::{Result, anyhow};

use super::Outcome;
use crate::{need::Need, workshop::Workshop};

pub(super) fn run(args: &[String]) -> Result<Outcome> {
    let server_args = match args.split_first() {
        None => args,
        Some((separator, rest)) if separator == "--" => rest,
        Some((other, _)) => {
            return Ok(Outcome::Misused(format!(
                "`demo` takes the server's arguments after `--`, but got `{other}`"
            )));
        }
    };
    let mut workshop = Workshop::open()?;
    workshop.meet(&[Need::Server, Need::Site])?;
    let mut server = workshop.command(workshop.workspace.server_binary());
    server.arg("demo").arg("--www").arg(workshop.workspace.site()).args(server_args);
    // The server takes this process's place, so signals and the exit code are its own.
    Err(anyhow!(server.exec()).context("cannot run the server"))
}
