//! `cargo xtask instructions`: what each step of the hot path costs, counted and not timed.
//!
//! Counts do not depend on what else the machine does, so a change can be judged on any machine. They
//! depend on the compiler, so they are compared only with figures that the same one was used for.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::{
    process::{find, run as run_child, run_bounded, run_captured, say},
    tools,
    workshop::Workshop,
};

/// A step is run so many times and then three times as often: the difference is what it costs.
const TIMES: u64 = 500;
/// How much more a step may cost than was recorded. Hash tables are seeded at random.
const TOLERANCE: f64 = 0.03;
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn run(args: &[String]) -> Result<Outcome> {
    let is_recording = match args {
        [] => false,
        [one] if one == "--write" => true,
        _ => return Ok(Outcome::Misused("usage: cargo xtask instructions [--write]".to_owned())),
    };
    let workshop = Workshop::open()?;
    if find("valgrind").is_none() {
        tools::install_debian(&workshop.tools, &["valgrind"])?;
    }
    let program = build(&workshop)?;
    let compiler = run_captured(workshop.command("rustc").arg("--version"))?.trim().to_owned();
    let file = workshop.workspace.root().join("benches/instructions.txt");
    let recorded = Recorded::parse(&fs::read_to_string(&file).unwrap_or_default());
    let mut counted = Vec::new();
    for step in run_captured(&mut Command::new(&program))?.lines() {
        counted.push((step.to_owned(), count(&workshop, &program, step)?));
        let (step, cost) = counted.last().context("invariant: it was just pushed")?;
        println!("{}", line(step, *cost, recorded.of(step)));
    }
    if is_recording {
        return record(&file, &compiler, &counted).map(|()| Outcome::Done);
    }
    if recorded.compiler != compiler {
        say(&format!("recorded with {}: nothing is judged", recorded.compiler));
        return Ok(Outcome::Done);
    }
    let is_worse = |(step, cost): &&(String, u64)| is_worse(*cost, recorded.of(step));
    let worse: Vec<_> = counted.iter().filter(is_worse).map(|(step, _)| step.as_str()).collect();
    if worse.is_empty() {
        return Ok(Outcome::Done);
    }
    say(&format!("dearer than recorded in {}: {}", file.display(), worse.join("; ")));
    Ok(Outcome::Failed)
}

fn build(workshop: &Workshop) -> Result<PathBuf> {
    let mut cargo = workshop.command("cargo");
    run_child(cargo.args(["build", "--release", "--package", "trolleybus-benches", "--bins"]))?;
    Ok(workshop.workspace.target().join("release/hot-path"))
}

/// The instructions of one run of a step.
fn count(workshop: &Workshop, program: &PathBuf, step: &str) -> Result<u64> {
    let total = |times: u64| -> Result<u64> {
        let mut valgrind = workshop.command("sh");
        // Its figures are on stderr.
        valgrind.args(["-c", "exec valgrind \"$@\" 2>&1", "valgrind", "--tool=cachegrind"]);
        valgrind.args(["--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
        let said = run_bounded(valgrind.arg(program).arg(step).arg(times.to_string()), LIMIT)?;
        instructions(&said).with_context(|| format!("valgrind counted nothing:\n{said}"))
    };
    let (few, many) = (total(TIMES)?, total(3 * TIMES)?);
    ensure!(many > few, "`{step}` does nothing");
    Ok((many - few) / (2 * TIMES))
}

/// The total in `==1234== I   refs:      1,234,567`.
fn instructions(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("refs:"))?;
    line.split("refs:").nth(1)?.trim().replace(',', "").parse().ok()
}

/// The figures in the file: a line for the compiler, one for each step.
#[derive(Debug, Default)]
struct Recorded {
    compiler: String,
    steps: Vec<(String, u64)>,
}

impl Recorded {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let compiler = lines.next().unwrap_or_default().to_owned();
        let steps = lines.filter_map(|line| {
            let (cost, step) = line.trim().split_once(' ')?;
            Some((step.trim().to_owned(), cost.parse().ok()?))
        });
        Self { compiler, steps: steps.collect() }
    }

    fn of(&self, step: &str) -> Option<u64> {
        self.steps.iter().find(|(name, _)| name == step).map(|(_, cost)| *cost)
    }
}

/// The file is made anew.
fn record(file: &PathBuf, compiler: &str, counted: &[(String, u64)]) -> Result<()> {
    let lines: String = counted.iter().map(|(step, cost)| format!("{cost:>8}  {step}\n")).collect();
    fs::write(file, format!("{compiler}\n{lines}"))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn line(step: &str, cost: u64, recorded: Option<u64>) -> String {
    let change = recorded.map_or(String::new(), |recorded| {
        format!("{:+.1}%", 100.0 * (cost as f64 / recorded as f64 - 1.0))
    });
    format!("{cost:>8}  {change:>8}  {step}")
}

fn is_worse(cost: u64, recorded: Option<u64>) -> bool {
    recorded.is_some_and(|recorded| cost as f64 > recorded as f64 * (1.0 + TOLERANCE) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read() {
        let said = "==7== Cachegrind, a cache profiler\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(instructions(said), Some(1_234_567));
        assert_eq!(instructions("valgrind: no such tool"), None);
    }

    #[test]
    fn what_was_recorded_is_read_and_compared() {
        let recorded = Recorded::parse("rustc 1.95.0\n    1000  rec encode, 100 bytes\n");
        assert_eq!(recorded.compiler, "rustc 1.95.0");
        let before = recorded.of("rec encode, 100 bytes");
        assert_eq!(before, Some(1000));
        assert!(!is_worse(1030, before) && is_worse(1040, before) && !is_worse(5, None));
    }
}
