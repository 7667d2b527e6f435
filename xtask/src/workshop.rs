//! The workshop: the workspace, the tools at hand, and the needs that were met already.

use std::{collections::HashMap, ffi::OsStr, process::Command};

use anyhow::{Result, anyhow};

use crate::{need::Need, tools::Tools, workspace::Workspace};

/// Everything a command works with.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) workspace: Workspace,
    pub(crate) tools: Tools,
    /// How meeting each need went; a need is met at most once, a failure is told again.
    met: HashMap<Need, Result<(), String>>,
}

impl Workshop {
    pub(crate) fn open() -> Result<Self> {
        Ok(Self { workspace: Workspace::find(), tools: Tools::new()?, met: HashMap::new() })
    }

    /// Sees to it that all of `needs` are met, and whatever they need in turn.
    pub(crate) fn meet(&mut self, needs: &[Need]) -> Result<()> {
        needs.iter().try_for_each(|need| self.meet_one(*need))
    }

    fn meet_one(&mut self, need: Need) -> Result<()> {
        if let Some(known) = self.met.get(&need) {
            return known.clone().map_err(|message| anyhow!(message));
        }
        let result = self.meet(need.requires()).and_then(|()| need.provide(self));
        let remembered = result.as_ref().map(|&()| ()).map_err(|e| format!("{e:#}"));
        self.met.insert(need, remembered);
        result
    }

    /// A command in the workspace's root that finds the tools.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tools.command(program);
        command.current_dir(self.workspace.root());
        command
    }

    /// A command among the peers of `versus`, which are a workspace of their own too.
    pub(crate) fn peers_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tools.command(program);
        command
            .current_dir(self.workspace.rust_peers())
            .env("CARGO_TARGET_DIR", self.workspace.peers_target());
        command
    }

    /// A command among the examples in Rust, which are a workspace of their own.
    pub(crate) fn examples_command(&self, program: impl AsRef<OsStr>) -> Command {
        self.moved_to_examples(self.tools.command(program))
    }

    /// As [`Workshop::examples_command`], with the Rust toolchain that has the wasm target.
    pub(crate) fn wasm_examples_command(&self, program: impl AsRef<OsStr>) -> Command {
        self.moved_to_examples(self.tools.wasm_command(program))
    }

    fn moved_to_examples(&self, mut command: Command) -> Command {
        command
            .current_dir(self.workspace.examples())
            .env("CARGO_TARGET_DIR", self.workspace.target());
        command
    }

    /// A command among the fuzz targets, which are a workspace of their own.
    pub(crate) fn fuzz_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tools.command(program);
        command
            .current_dir(self.workspace.fuzz())
            .env("CARGO_TARGET_DIR", self.workspace.target().join("fuzz"));
        command
    }

    /// A command in the workspace's root with the Rust toolchain that has the wasm target.
    pub(crate) fn wasm_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tools.wasm_command(program);
        command.current_dir(self.workspace.root());
        command
    }

    /// Node, told where the servers, the site and the browser are.
    pub(crate) fn node_test_command(&self) -> Command {
        let mut node = self.command("node");
        node.current_dir(self.workspace.tests())
            .env("TROLLEYBUS_BIN", self.workspace.server_binary())
            .env("SOCKJS_TEST_SERVER_BIN", self.workspace.sockjs_test_server())
            .env("TROLLEYBUS_RUST_EXAMPLES", self.workspace.rust_examples())
            .env("TROLLEYBUS_WWW", self.workspace.site())
            .env("TROLLEYBUS_PACKAGE", self.workspace.sdk_package())
            .env("TROLLEYBUS_BUNDLERS", self.workspace.installed_bundlers());
        let browsers = [("CHROMIUM", self.tools.chromium()), ("FIREFOX", self.tools.firefox())];
        for (name, browser) in browsers {
            node.envs(browser.map(|path| (name, path)));
        }
        node
    }
}
