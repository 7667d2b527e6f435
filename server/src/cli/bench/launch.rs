//! A server that a work starts and ends by itself.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::process::{Child, Command};

use super::process::{self, Usage};
use super::wire::{Form, Wire};

const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(1);

/// How to start it, as often as needed, always on the same port.
#[derive(Debug)]
pub(super) struct Launch {
    command: Vec<String>,
    pub(super) url: String,
}

impl Launch {
    /// `{port}` in `command` stands for a port that is free now, and so does the port of `url`.
    pub(super) fn new(command: &[String], url: &str) -> anyhow::Result<Self> {
        ensure!(
            command.iter().any(|word| word.contains("{port}")),
            "the server's command follows `--` and has `{{port}}` where its port belongs"
        );
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut url: url::Url = url.parse().with_context(|| format!("`{url}` is no URL"))?;
        ensure!(url.set_port(Some(port)).is_ok(), "the URL can have no port");
        let command = command.iter().map(|word| word.replace("{port}", &port.to_string()));
        Ok(Self { command: command.collect(), url: url.into() })
    }

    /// Starts it; it ends when the server is dropped.
    pub(super) fn start(&self) -> anyhow::Result<Server> {
        let (program, arguments) = self.command.split_first().context("there is no command")?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run `{program}`"))?;
        Ok(Server { child })
    }

    /// Connects as soon as the server lets us.
    pub(super) async fn connect(&self, form: Form, size: usize) -> anyhow::Result<Wire> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Wire::open(&self.url, form, size).await {
                Ok(wire) => return Ok(wire),
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context(format!("`{}` gave no connection", self.title())));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    pub(super) fn title(&self) -> String {
        self.command.join(" ")
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
}

impl Server {
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        process::usage(self.child.id().context("the server has ended")?)
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the server could not be ended")
    }
}
