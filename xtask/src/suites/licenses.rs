//! Suite `licenses`: every dependency, direct or not, on any platform, has a licence that we accept.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::spdx;
use crate::{
    process::{run_captured, say},
    workshop::Workshop,
};

const ACCEPTED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Beside those, for the library that fuzz targets are linked with and nothing that we ship.
const OF_THE_FUZZER: &str = "NCSA";

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    check(workshop.command("cargo"), &|licence| ACCEPTED.contains(&licence))?;
    check(workshop.examples_command("cargo"), &|licence| ACCEPTED.contains(&licence))?;
    check(workshop.fuzz_command("cargo"), &|licence| {
        ACCEPTED.contains(&licence) || licence == OF_THE_FUZZER
    })
}

fn check(mut cargo: Command, is_accepted: &dyn Fn(&str) -> bool) -> Result<()> {
    let text = run_captured(cargo.args(["metadata", "--format-version", "1", "--quiet"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cannot parse cargo's metadata")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    let refused: Vec<String> =
        packages.iter().filter_map(|package| refusal(package, is_accepted)).collect();
    if refused.is_empty() {
        say(&format!("{} packages, all accepted", packages.len()));
        return Ok(());
    }
    bail!("not accepted: {}", refused.join("; "))
}

/// Why a package is not acceptable, if it is not.
fn refusal(package: &Value, is_accepted: &dyn Fn(&str) -> bool) -> Option<String> {
    let name = format!(
        "{} {}",
        package["name"].as_str().unwrap_or("?"),
        package["version"].as_str().unwrap_or("?")
    );
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name} names no licence"));
    };
    match spdx::is_satisfied(licence, is_accepted) {
        Ok(true) => None,
        Ok(false) => Some(format!("{name} ({licence})")),
        Err(error) => Some(format!("{name} ({licence}: {error})")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_package_without_a_licence_is_refused() {
        let package = json!({ "name": "a", "version": "1.0.0", "license": null });
        assert_eq!(
            refusal(&package, &|one| ACCEPTED.contains(&one)).unwrap(),
            "a 1.0.0 names no licence"
        );
    }

    #[test]
    fn the_usual_pair_is_accepted() {
        let package = json!({ "name": "a", "version": "1.0.0", "license": "MIT/Apache-2.0" });
        assert_eq!(refusal(&package, &|one| ACCEPTED.contains(&one)), None);
    }
}
