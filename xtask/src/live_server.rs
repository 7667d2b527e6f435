//! A demo server for the length of a test suite.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    process::{last_lines, lifelong, stdout_of},
    workshop::Workshop,
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct LiveServer {
    child: Child,
    log: PathBuf,
    url: String,
}

impl LiveServer {
    /// Starts the demo with an open bridge on a free port and waits until it says its URL.
    pub(crate) fn start(workshop: &Workshop) -> Result<Self> {
        let log = workshop.workspace.target().join("live-server.log");
        let mut command = demo_command(workshop, &log)?;
        let mut child = command.spawn().context("cannot start the server")?;
        let stdout = stdout_of(&mut child);
        let mut server = Self { child, log, url: String::new() };
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || watch(stdout, &sender));
        server.url = receiver
            .recv_timeout(START_LIMIT)
            .with_context(|| format!("the server said no URL; it logged:\n{}", server.logged()))?;
        Ok(server)
    }

    /// Where the server's event bus is.
    pub(crate) fn bus_url(&self) -> String {
        format!("{}/eventbus", self.url)
    }

    /// The end of what the server logged so far.
    pub(crate) fn logged(&self) -> String {
        last_lines(&fs::read_to_string(&self.log).unwrap_or_default(), 30)
    }
}

impl Drop for LiveServer {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn demo_command(workshop: &Workshop, log: &Path) -> Result<Command> {
    let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = workshop.command(workshop.workspace.server_binary());
    command
        .args(["demo", "--listen", "127.0.0.1:0", "--open-bridge", "--www"])
        .arg(workshop.workspace.site());
    let mut command = lifelong(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    Ok(command)
}

/// Reads the server's stdout to its end, so that it never blocks, and passes the first URL on.
fn watch(stdout: ChildStdout, sender: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some(url) = first_url(&line) {
            // Nobody listens after the first URL.
            drop(sender.send(url.to_owned()));
        }
    }
}

fn first_url(line: &str) -> Option<&str> {
    line.split_whitespace()
        .find(|word| word.starts_with("http://"))
        .map(|word| word.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_found_in_a_line() {
        let line = "listening on http://127.0.0.1:4711/ (Ctrl-C stops)";
        assert_eq!(first_url(line), Some("http://127.0.0.1:4711"));
        assert_eq!(first_url("starting"), None);
    }
}
