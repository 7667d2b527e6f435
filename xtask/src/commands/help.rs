//! `cargo xtask help`: what there is to run.

use crate::suites;

const COMMANDS: [(&str, &str); 10] = [
    ("demo [-- ARGS]", "build everything and run `trolleybus demo ARGS` on the built site"),
    ("test [SUITE...]", "run all test suites, or those named, and report"),
    ("build", "build the npm package, the UI and the site in target/www"),
    ("size", "what browsers download, raw and gzipped"),
    ("screenshots", "take the pictures of the UI into tests/e2e/screenshots"),
    ("versus [ARGS]", "measure the server beside its peers: --rounds N --seconds N --only TEXT"),
    (
        "bench-browser [ARGS]",
        "measure the npm package in Chromium beside Vert.x's client: --rounds N --live --json FILE",
    ),
    ("fuzz [TARGET] [SECONDS]", "the fuzz targets with cargo-fuzz, a minute each unless told"),
    ("setup", "find or install the tools, and nothing else"),
    ("help", "this text"),
];

/// The names of all commands.
pub(super) fn names() -> Vec<&'static str> {
    COMMANDS.iter().filter_map(|(usage, _)| usage.split(' ').next()).collect()
}

pub(super) fn print() {
    println!("usage: cargo xtask COMMAND\n");
    for (usage, meaning) in COMMANDS {
        println!("  {usage:<24} {meaning}");
    }
    println!("\nsuites of `test`, in their order:\n");
    for suite in suites::ALL {
        println!("  {:<24} {}", suite.name, suite.meaning);
    }
    println!("\nTools are kept in $TROLLEYBUS_TOOLS, or else ~/.cache/trolleybus/tools.");
}
