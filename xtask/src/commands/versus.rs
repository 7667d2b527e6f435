//! `cargo xtask versus`: the same work against ours and its peers, in turns, as tables of ratios.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Outcome, options};
use crate::{
    need::Need,
    process::{find, run as run_child, run_captured, say},
    tools::{self, peers},
    workshop::Workshop,
};

/// `args` go to the runner: `--rounds 3 --seconds 2 --only fan-out --peers ws,nats --quick --write`.
pub(super) fn run(args: &[String]) -> Result<Outcome> {
    let mut workshop = Workshop::open()?;
    workshop.meet(&[Need::Node])?;
    let tests = workshop.workspace.tests().join("versus");
    if let Some(complaint) = options::complaint(&workshop, &tests.join("options.mjs"), args)? {
        return Ok(Outcome::Misused(complaint));
    }
    if find("taskset").is_none() {
        bail!(
            "`taskset` is missing, which pins server and load to a core each: install util-linux"
        );
    }
    workshop.meet(&[Need::Server])?;
    let workspace = &workshop.workspace;
    tools::node::provide_packages(&workshop, &tests)?;
    let chosen = value_of(args, "--peers");
    let is_wanted = |name: &str| chosen.is_none_or(|chosen| chosen.split(',').any(|n| n == name));
    let peers = peers::provide(&workshop, is_wanted);
    let documents = ["README.md", "docs/performance.md"].map(|file| workspace.root().join(file));
    let mut node = workshop.command("node");
    node.arg(tests.join("run.mjs"))
        .args(args)
        .arg("--out")
        .arg(workspace.target().join("versus.md"))
        .arg("--documents")
        .arg(std::env::join_paths(documents.iter().filter(|file| file.is_file()))?)
        .env("TROLLEYBUS_BIN", workspace.server_binary())
        .env("VERSUS_PEERS", peers.to_string());
    let is_long = !args.iter().any(|arg| arg == "--quick");
    if is_long && value_of(args, "--only").is_none_or(is_of_the_bus) {
        match bus_bench(&workshop) {
            Ok(program) => drop(node.env("BUS_BENCH", program)),
            // One line of the tables says so.
            Err(error) => say(&format!("the bench of the bus did not build: {error:#}")),
        }
    }
    run_child(&mut node)?;
    Ok(Outcome::Done)
}

/// Whether the bench of the bus is needed for what is asked: the works that it is for are named in
/// `tests/versus/others.mjs`.
fn is_of_the_bus(only: &str) -> bool {
    let works = [
        "publish with 1,000,000 registrations, against 1,000",
        "two cores against one: throughput of the bus, to addresses of their own",
        "two cores against one: throughput of the bus, to the same 1,000 addresses",
    ];
    works.iter().any(|work| work.contains(&only.to_lowercase()))
}

/// What follows `option`.
fn value_of<'a>(args: &'a [String], option: &str) -> Option<&'a str> {
    let place = args.iter().position(|arg| arg == option)?;
    args.get(place + 1).map(String::as_str)
}

/// `server/benches/bus`, built.
fn bus_bench(workshop: &Workshop) -> Result<PathBuf> {
    say("building the bench of the bus");
    let mut cargo = workshop.command("cargo");
    cargo.args(["bench", "--quiet", "--package", "trolleybus", "--bench", "bus", "--no-run"]);
    let messages = run_captured(cargo.args(["--message-format", "json-render-diagnostics"]))?;
    let built = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    built.context("cargo named no program")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_of_the_bus_is_for_works_that_there_are() {
        assert!(["registrations", "Throughput", "two cores"].into_iter().all(is_of_the_bus));
        assert!(!is_of_the_bus("fan-out"));
        let others = include_str!("../../../tests/versus/others.mjs").to_lowercase();
        for title in others.lines().filter(|line| line.contains("throughput of the bus")) {
            let title = title.split('"').nth(1).unwrap();
            assert!(is_of_the_bus(title), "{title}");
        }
    }

    #[test]
    fn an_option_has_the_word_behind_it() {
        let args = ["--only", "fan-out", "--peers"].map(str::to_owned);
        assert_eq!(value_of(&args, "--only"), Some("fan-out"));
        assert_eq!((value_of(&args, "--peers"), value_of(&args, "--out")), (None, None));
    }
}
