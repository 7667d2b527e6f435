//! The server binary and the servers that tests and benchmarks compare with, in release.

use anyhow::{Context, Result};

use crate::{
    process::{run, say},
    workshop::Workshop,
};

pub(crate) fn build(workshop: &mut Workshop) -> Result<()> {
    say("building the server");
    let mut cargo = workshop.command("cargo");
    cargo.args(["build", "--release", "--package", "trolleybus"]);
    cargo.args(["--bin", "trolleybus", "--example", "sockjs_test_server"]);
    cargo.args(["--example", "bare_websocket_echo"]);
    run(&mut cargo).context("the server did not build")
}
