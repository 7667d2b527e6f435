//! The command line.
//!
//! | File | Holds |
//! |---|---|
//! | `serve` | `serve`, `check-config`, `default-config` |
//! | `reload` | SIGHUP: the rules are read again |
//! | `demo` | `demo`: the gallery and its services |
//! | `health` | `health`: is a server ready? |
//! | `bench` | `bench`: what a bridge can carry
//! | `token` | `token`: mints tokens to try things out |
//! | `client` | `publish`, `send`, `request`, `subscribe`: the bus from a shell |

// A command line talks to people.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output is what it is for")]

mod bench;
mod client;
mod demo;
mod health;
mod reload;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::TelemetryConfig;

/// One event bus for browsers, servers and devices.
///
/// Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.
#[derive(Debug, Parser)]
#[command(name = "trolleybus", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the bridge with a configuration file.
    Serve(serve::Serve),
    /// Check a configuration file and say what is wrong with it.
    CheckConfig(serve::CheckConfig),
    /// Print the commented configuration with all defaults.
    DefaultConfig,
    /// Serve the demo: a page, an echo and an uppercase service.
    Demo(demo::Demo),
    /// Publish a message to all consumers of an address.
    Publish(client::Message),
    /// Send a message to one consumer of an address.
    Send(client::Message),
    /// Send a message to one consumer and print its reply.
    Request(client::Request),
    /// Print what arrives on addresses, one JSON document per line.
    Subscribe(client::Subscribe),
    /// Mint a token to try things out, or make a key for it.
    Token(token::Token),
    /// Ask a server whether it is ready; for the health checks of containers.
    Health(health::Health),
    /// Measure what a bridge can carry.
    Bench(bench::Bench),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(run(cli.command));
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    if !matches!(command, Command::Serve(_)) {
        TelemetryConfig::default().start()?.stop();
    }
    match command {
        Command::Serve(serve) => serve.run().await,
        Command::CheckConfig(check) => check.run(),
        Command::DefaultConfig => {
            print!("{}", crate::app::EXAMPLE);
            Ok(())
        }
        Command::Demo(demo) => demo.run().await,
        Command::Publish(message) => message.publish().await,
        Command::Send(message) => message.send().await,
        Command::Request(request) => request.run().await,
        Command::Subscribe(subscribe) => subscribe.run().await,
        Command::Token(token) => token.run(),
        Command::Health(health) => health.run().await,
        Command::Bench(bench) => bench.run().await,
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("trolleybus: {error:#}");
    let is_usage = error.is::<crate::app::LoadError>() || error.is::<crate::bridge::ConfigError>();
    ExitCode::from(if is_usage { 2 } else { 1 })
}

/// Ends on Ctrl-C or SIGTERM. Both are caught from this call on, not only once it is awaited.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
