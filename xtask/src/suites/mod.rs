//! The test suites, in the order in which they run.

mod fmt;
mod fuzz;
mod licenses;
mod lint;
mod node;
mod spdx;
mod unit;
mod wasm;

use std::time::Duration;

use anyhow::Result;

use crate::{need::Need, workshop::Workshop};

#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    /// What must be there before it can run.
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&Workshop) -> Result<()>,
}

pub(crate) const ALL: [Suite; 10] = [
    Suite {
        name: "fmt",
        meaning: "the sources are formatted",
        needs: &[Need::Rustfmt],
        run: fmt::run,
    },
    Suite {
        name: "lint",
        meaning: "clippy has nothing to say, natively and for wasm",
        needs: &[Need::Clippy, Need::WasmTarget],
        run: lint::run,
    },
    Suite {
        name: "licenses",
        meaning: "every dependency has a licence that we accept",
        needs: &[],
        run: licenses::run,
    },
    Suite {
        name: "unit",
        meaning: "Rust's tests, unit to conformance, with the examples in the documentation",
        needs: &[],
        run: unit::run,
    },
    Suite {
        name: "fuzz",
        meaning: "every parser and whole bridges on hostile input, over a corpus and mutations of it",
        needs: &[],
        run: fuzz::run,
    },
    Suite {
        name: "wasm",
        meaning: "the client in a headless browser against a live server",
        needs: &[Need::Server, Need::Site, Need::Browser],
        run: wasm::run,
    },
    Suite {
        name: "interop",
        meaning: "clients that others wrote against our servers",
        needs: &[Need::Server, Need::Site, Need::Browser, Need::TestPackages],
        run: node::run_interop,
    },
    Suite {
        name: "packages",
        meaning: "the npm package as users install it: bundlers, frameworks, browsers, Node",
        needs: &[
            Need::Server,
            Need::Site,
            Need::Browser,
            Need::Firefox,
            Need::TestPackages,
            Need::Bundlers,
        ],
        run: node::run_packages,
    },
    Suite {
        name: "e2e",
        meaning: "the site in a browser, end to end",
        needs: &[Need::Server, Need::Site, Need::Browser, Need::TestPackages],
        run: node::run_e2e,
    },
    Suite {
        name: "rust-examples",
        meaning: "the examples in Rust in a browser",
        needs: &[Need::Server, Need::RustExamples, Need::Browser, Need::TestPackages],
        run: node::run_rust_examples,
    },
];

/// The longest that a suite's tests may take: one that hangs must not keep the report back.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The number in front of `word` in a line such as `test result: ok. 3 passed; 0 failed`.
fn number_before(line: &str, word: &str) -> Option<u64> {
    let words: Vec<&str> = line.split([' ', ';']).collect();
    let position = words.iter().position(|w| *w == word)?;
    words[position.checked_sub(1)?].parse().ok()
}

/// How many tests passed, if `line` is the summary of a Rust test program.
fn passed_in_rust(line: &str) -> Option<u64> {
    line.strip_prefix("test result: ").and_then(|summary| number_before(summary, "passed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted_in_summaries_only() {
        let summary = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured";
        assert_eq!(passed_in_rust(summary), Some(12));
        assert_eq!(passed_in_rust("12 passed"), None);
    }
}
