//! `cargo xtask test`: the suites, all or those named, and the report.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Outcome;
use crate::{
    process::say,
    suites::{self, Suite},
    workshop::Workshop,
};

struct Report {
    suite: &'static str,
    time: Duration,
    result: Result<()>,
}

pub(super) fn run(names: &[String]) -> Result<Outcome> {
    let chosen = match choose(names) {
        Ok(chosen) => chosen,
        Err(explanation) => return Ok(Outcome::Misused(explanation)),
    };
    let mut workshop = Workshop::open()?;
    let reports: Vec<Report> =
        chosen.into_iter().map(|suite| run_suite(suite, &mut workshop)).collect();
    print_reports(&reports);
    if reports.iter().all(|report| report.result.is_ok()) {
        Ok(Outcome::Done)
    } else {
        Ok(Outcome::Failed)
    }
}

/// The suites that `names` ask for, in the order in which suites run, or why that is impossible.
fn choose(names: &[String]) -> Result<Vec<&'static Suite>, String> {
    let known: Vec<&str> = suites::ALL.iter().map(|suite| suite.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("unknown suite `{unknown}`; the suites are: {}", known.join(", ")));
    }
    let wanted = |suite: &&Suite| names.is_empty() || names.iter().any(|name| name == suite.name);
    Ok(suites::ALL.iter().filter(wanted).collect())
}

fn run_suite(suite: &'static Suite, workshop: &mut Workshop) -> Report {
    say(&format!("=== {}: {}", suite.name, suite.meaning));
    let start = Instant::now();
    let result = workshop.meet(suite.needs).and_then(|()| (suite.run)(workshop));
    if let Err(error) = &result {
        say(&format!("{} failed: {error:#}", suite.name));
    }
    Report { suite: suite.name, time: start.elapsed(), result }
}

fn print_reports(reports: &[Report]) {
    println!();
    for report in reports {
        if let Err(error) = &report.result {
            println!("{}: {}", report.suite, first_line(error));
        }
    }
    println!("\n{:<10} {:<7} {:>8}", "suite", "result", "seconds");
    for report in reports {
        let result = if report.result.is_ok() { "passed" } else { "FAILED" };
        println!("{:<10} {result:<7} {:>8.1}", report.suite, report.time.as_secs_f64());
    }
    let passed = reports.iter().filter(|report| report.result.is_ok()).count();
    println!("{passed} passed, {} failed", reports.len() - passed);
}

/// What a failure comes down to; the rest was said when it happened.
fn first_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Vec<&'static str>, String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Ok(choose(&names)?.into_iter().map(|suite| suite.name).collect())
    }

    #[test]
    fn no_names_choose_all_suites() {
        assert_eq!(chosen(&[]).unwrap().len(), suites::ALL.len());
    }

    #[test]
    fn named_suites_run_once_each_in_the_usual_order() {
        assert_eq!(chosen(&["unit", "fmt", "unit"]).unwrap(), ["fmt", "unit"]);
    }

    #[test]
    fn an_unknown_suite_is_refused_with_the_known_ones() {
        let explanation = chosen(&["fmt", "units"]).unwrap_err();
        assert!(explanation.contains("`units`") && explanation.contains("interop"));
    }
}
