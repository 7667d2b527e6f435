//! `health`: is a server ready?

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// Most that is read of an answer.
const LONGEST_ANSWER: u64 = 4096;

/// Exit code 0 when the server says that it is ready, 1 when it does not.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// What to ask: `/readyz`, or `/healthz` for whether it is alive at all.
    #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
    url: Url,
    /// How long the answer may take, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    timeout_ms: u64,
}

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let timeout = Duration::from_millis(self.timeout_ms);
        let answer = tokio::time::timeout(timeout, ask(&self.url)).await;
        let (status, text) = answer.context("no answer in time")??;
        if status != 200 {
            bail!("{}: {status} {text}", self.url);
        }
        println!("{text}");
        Ok(())
    }
}

/// Status and text of the answer. It may be plain HTTP only: a probe asks its own machine.
async fn ask(url: &Url) -> anyhow::Result<(u16, String)> {
    ensure!(url.scheme() == "http", "the URL must start with http://");
    let host = url.host_str().context("the URL names no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port))
        .await
        .with_context(|| format!("cannot connect to {host}:{port}"))?;
    let path = url.path();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    parse(&String::from_utf8_lossy(&answer)).context("the answer is no HTTP")
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let status = answer.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_text_are_read() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 9\r\n\r\ndraining\n";
        assert_eq!(parse(answer), Some((503, "draining".to_owned())));
        assert_eq!(parse("SSH-2.0"), None);
    }
}
