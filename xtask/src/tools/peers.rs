//! What `cargo xtask versus` measures us beside: built or installed here, or else a reason why not.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::{cargo_tools::locked_version, nats};
use crate::{
    process::{find, run, run_bounded, run_captured, say},
    workshop::Workshop,
};

const MAVEN_COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const MAVEN_LIMIT: Duration = Duration::from_secs(300);

type Found = Result<(String, String)>;
type Provide = fn(&Workshop) -> Found;

/// For each peer that `is_wanted` its program and version, or why there is none; as the runner in
/// `tests/versus` reads it. A peer that cannot be had is no error.
pub(crate) fn provide(workshop: &Workshop, is_wanted: impl Fn(&str) -> bool) -> Value {
    let peers: [(&str, Provide); 5] = [
        ("socketioxide", socketioxide),
        ("bare", bare),
        ("floor", floor),
        ("nats", nats),
        ("vertx", vertx),
    ];
    let wanted = peers.into_iter().filter(|(name, _)| is_wanted(name));
    let found: Map<String, Value> = wanted
        .map(|(name, provide)| {
            let value = match provide(workshop) {
                Ok((program, version)) => json!({ "program": program, "version": version }),
                Err(error) => {
                    say(&format!("{name} is left out: {error:#}"));
                    json!({ "absent": reason(&error) })
                }
            };
            (name.to_owned(), value)
        })
        .collect();
    Value::Object(found)
}

/// In one line, because it goes into a list.
fn reason(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}

/// socketioxide wants a newer Rust than we do.
fn socketioxide(workshop: &Workshop) -> Found {
    let program = build(workshop, &["--bin", "socketioxide", "--features", "socketioxide"])?;
    let lock = fs::read_to_string(workshop.workspace.rust_peers().join("Cargo.lock"))?;
    let version = locked_version(&lock, "socketioxide").unwrap_or_default();
    Ok((program.join("socketioxide").display().to_string(), version.to_owned()))
}

fn bare(workshop: &Workshop) -> Found {
    ceiling(workshop, "bare", "yawc")
}

fn floor(workshop: &Workshop) -> Found {
    ceiling(workshop, "floor", "mio")
}

/// Its version is that of the library that makes it what it is.
fn ceiling(workshop: &Workshop, name: &str, library: &str) -> Found {
    // With what socketioxide needs, so that all share what is compiled; alone where that fails.
    let program = build(workshop, &["--bin", name, "--features", "socketioxide"])
        .or_else(|_| build(workshop, &["--bin", name]))?;
    let lock = fs::read_to_string(workshop.workspace.rust_peers().join("Cargo.lock"))?;
    let version = format!("{library} {}", locked_version(&lock, library).unwrap_or_default());
    Ok((program.join(name).display().to_string(), version))
}

/// Builds a peer that is written in Rust, and gives the folder of the program.
fn build(workshop: &Workshop, arguments: &[&str]) -> Result<PathBuf> {
    let mut cargo = workshop.peers_command("cargo");
    run(cargo.args(["build", "--release", "--locked", "--quiet"]).args(arguments))?;
    Ok(workshop.workspace.peers_target().join("release"))
}

fn nats(workshop: &Workshop) -> Found {
    let (program, version) = nats::provide(&workshop.tools)?;
    Ok((program.display().to_string(), version))
}

/// Vert.x from Maven's registry; the program is its class path.
fn vertx(workshop: &Workshop) -> Found {
    for program in ["java", "javac", "mvn"] {
        if find(program).is_none() {
            bail!("there is no `{program}`; on Debian: apt-get install default-jdk-headless maven");
        }
    }
    let sources = workshop.workspace.tests().join("versus/peers/vertx");
    let pom = fs::read_to_string(sources.join("pom.xml"))?;
    let version = text_of(&pom, "version", "vertx-web").context("pom.xml has no vertx-web")?;
    let target = workshop.workspace.peers_target().join(format!("vertx-{version}"));
    let jars = target.join("jars");
    if !jars.join(format!("vertx-web-{version}.jar")).is_file() {
        fetch(workshop, &sources, &jars)?;
    }
    let (classes, jars) = (target.join("classes"), jars.join("*"));
    let mut javac = workshop.command("javac");
    javac.arg("-cp").arg(&jars).arg("-d").arg(&classes);
    run_captured(javac.arg(sources.join("src/main/java/Peer.java")))?;
    Ok((format!("{}:{}", classes.display(), jars.display()), version.to_owned()))
}

fn fetch(workshop: &Workshop, sources: &Path, jars: &Path) -> Result<()> {
    say("fetching Vert.x");
    let mut maven = workshop.command("mvn");
    maven
        .args(["--quiet", "--batch-mode", MAVEN_COPY, "--file"])
        .arg(sources.join("pom.xml"))
        .arg(format!("-DoutputDirectory={}", jars.display()));
    run_bounded(&mut maven, MAVEN_LIMIT).map(drop).context("Maven's registry gave no Vert.x")
}

/// The text of the first `<tag>` behind the first mention of `name`.
fn text_of<'a>(xml: &'a str, tag: &str, name: &str) -> Option<&'a str> {
    let (_, behind) = xml.split_once(name)?;
    let (_, text) = behind.split_once(&format!("<{tag}>"))?;
    text.split('<').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_dependency_is_read_and_not_that_of_the_project() {
        let pom = "<version>0</version><artifactId>vertx-web</artifactId>\n<version>5.1</version>";
        assert_eq!(text_of(pom, "version", "vertx-web"), Some("5.1"));
        assert_eq!(text_of(pom, "version", "vertx-none"), None);
    }
}
