//! The server binary and the SockJS server of the tests, in release.

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
    run(&mut cargo).context("the server did not build")
}
