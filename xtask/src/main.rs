//! The one task runner: `cargo xtask COMMAND` sets the machine up, builds, tests and demonstrates Trolleybus.
//!
//! | Where | What |
//! |---|---|
//! | `commands/` | one file per command |
//! | `suites/` | one file per kind of test suite |
//! | `workshop.rs`, `need.rs` | what a command needs, met once each and on demand |
//! | `tools/` | finding or installing the programs that others wrote |
//! | `products/` | what we build: the npm package, the UI, the site, the server |
//! | `process.rs`, `live_server.rs`, `workspace.rs` | running children, a server under test, paths |

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the one who runs it"
)]

mod commands;
mod live_server;
mod need;
mod process;
mod products;
mod suites;
mod tools;
mod workshop;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    commands::run(&args)
}
