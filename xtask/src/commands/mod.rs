//! The commands, one per file, and the choice between them.

mod bench_browser;
mod build;
mod demo;
mod fuzz;
mod help;
mod instructions;
mod options;
mod screenshots;
mod setup;
mod size;
mod test;
mod versus;

use std::process::ExitCode;

use anyhow::Result;

use crate::{process::say, workshop::Workshop};

/// What a command makes of its arguments.
enum Outcome {
    Done,
    /// The command ran to its end and reported failures itself.
    Failed,
    /// The arguments make no sense; the text says what would.
    Misused(String),
}

/// Runs the command that `args` name; the exit code is 0 for success, 1 for failure, 2 for misuse.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", args),
    };
    match dispatch(name, rest) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::Misused(explanation)) => {
            say(&explanation);
            ExitCode::from(2)
        }
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(1)
        }
    }
}

fn dispatch(name: &str, rest: &[String]) -> Result<Outcome> {
    match name {
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "fuzz" => fuzz::run(rest),
        "instructions" => instructions::run(rest),
        "versus" => versus::run(rest),
        "bench-browser" => bench_browser::run(rest),
        "setup" => without_arguments(name, rest, setup::run),
        "build" => without_arguments(name, rest, build::run),
        "size" => without_arguments(name, rest, size::run),
        "screenshots" => without_arguments(name, rest, screenshots::run),
        "help" | "--help" | "-h" => {
            help::print();
            Ok(Outcome::Done)
        }
        _ => Ok(Outcome::Misused(format!(
            "unknown command `{name}`; the commands are: {}",
            help::names().join(", ")
        ))),
    }
}

fn without_arguments(
    name: &str,
    rest: &[String],
    run: fn(&mut Workshop) -> Result<()>,
) -> Result<Outcome> {
    if let Some(argument) = rest.first() {
        return Ok(Outcome::Misused(format!("`{name}` takes no arguments, but got `{argument}`")));
    }
    run(&mut Workshop::open()?)?;
    Ok(Outcome::Done)
}
