//! `publish`, `send`, `request`, `subscribe`: the bus from a shell, through the native SDK.

use std::fmt;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use futures_util::stream::{SelectAll, StreamExt as _};
use serde_json::value::RawValue;
use trolleybus_client::{Client, Options, Reconnect};
use trolleybus_protocol::{
    Body, BusMessage, ConsumerOptions, DeliveryOptions, ErrorKind, EventBus as _,
};

use super::stop_signal;

/// An address that nobody consumes. A request to it fails in any case, and its failure shows that
/// the server has handled all that was sent before.
const BARRIER: &str = "__trolleybus.barrier";

#[derive(Debug, Args)]
struct Connection {
    /// The bridge.
    #[arg(long, default_value = "http://127.0.0.1:8080/eventbus", env = "TROLLEYBUS_URL")]
    url: String,
    /// Seconds to wait for the connection, and for an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
    /// Who this is: a token, or @FILE to read it from. Whoever looks at the list of processes sees
    /// a token; better give a file, or set the variable.
    #[arg(
        long,
        value_name = "TOKEN|@FILE",
        value_parser = parse_token,
        env = "TROLLEYBUS_TOKEN",
        hide_env_values = true
    )]
    token: Option<Token>,
    /// Certificates in PEM to trust besides the usual ones, such as that of a self-signed server.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Where the token is; a file is read before each connection, because tokens expire.
#[derive(Clone)]
enum Token {
    Text(String),
    File(PathBuf),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the text: whoever has it is the user.
        f.write_str("Token")
    }
}

fn parse_token(text: &str) -> Result<Token, std::convert::Infallible> {
    Ok(match text.strip_prefix('@') {
        Some(file) => Token::File(file.into()),
        None => Token::Text(text.to_owned()),
    })
}

impl Token {
    async fn read(self) -> anyhow::Result<String> {
        let text = match self {
            Self::Text(text) => text,
            Self::File(file) => {
                let text = tokio::fs::read_to_string(&file).await;
                text.with_context(|| format!("cannot read the token in {}", file.display()))?
            }
        };
        Ok(text.trim().to_owned())
    }
}

impl Connection {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    fn options(&self, reconnect: Reconnect) -> anyhow::Result<Options> {
        let mut options = Options::new().reconnect(reconnect);
        if let Some(file) = &self.ca {
            let pem = std::fs::read(file);
            let pem = pem.with_context(|| format!("cannot read {}", file.display()))?;
            options = options
                .tls_roots(&pem)
                .with_context(|| format!("{} is no use as --ca", file.display()))?;
        }
        if let Some(token) = self.token.clone() {
            options = options.token_provider(move || {
                let token = token.clone();
                async move { token.read().await.map_err(|error| format!("{error:#}")) }
            });
        }
        Ok(options)
    }

    /// Connects, or says why not.
    async fn open(&self, reconnect: Reconnect) -> anyhow::Result<Client> {
        let client = Client::with_options(&self.url, self.options(reconnect)?);
        let opened = tokio::time::timeout(self.timeout(), client.opened()).await;
        opened
            .map_err(|_| anyhow!("no answer within {} s", self.timeout))
            .and_then(|opened| Ok(opened?))
            .with_context(|| format!("cannot connect to {}", self.url))?;
        Ok(client)
    }

    /// Waits until the server has handled everything sent so far, and tells what it refused.
    async fn settle(&self, client: &Client) -> anyhow::Result<()> {
        let mut errors = client.errors();
        let options = DeliveryOptions::new().timeout(self.timeout());
        let barrier = client.request_with(BARRIER, Body::null(), options);
        tokio::select! {
            biased;
            Some(error) = errors.next() => bail!("the server refused: {error}"),
            answer = barrier => match answer {
                Err(error) if matches!(
                    error.kind(),
                    ErrorKind::Timeout | ErrorKind::ConnectionLost | ErrorKind::Closed
                ) => Err(error).context("the server did not confirm"),
                _ => Ok(()),
            },
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Message {
    /// Where the message goes.
    address: String,
    /// The body as JSON, such as '"goal"' or '{"price": 1.10}'; `-` or nothing reads standard input.
    body: Option<String>,
    /// Take the body as plain text instead of JSON.
    #[arg(long)]
    text: bool,
    /// A header to go with it; may be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME=VALUE")]
    headers: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Message {
    pub(super) async fn publish(self) -> anyhow::Result<()> {
        let (body, options) = (self.body()?, self.options()?);
        let client = self.connection.open(Reconnect::never()).await?;
        client.publish_with(self.address.as_str(), body, options)?;
        self.connection.settle(&client).await
    }

    pub(super) async fn send(self) -> anyhow::Result<()> {
        let (body, options) = (self.body()?, self.options()?);
        let client = self.connection.open(Reconnect::never()).await?;
        client.send_with(self.address.as_str(), body, options)?;
        self.connection.settle(&client).await
    }

    fn body(&self) -> anyhow::Result<Body> {
        let text = match self.body.as_deref() {
            Some(text) if text != "-" => text.to_owned(),
            _ => read_input()?,
        };
        if self.text {
            return Ok(Body::from_text(&text));
        }
        Body::from_json(text).map_err(|error| {
            anyhow!(
                "the body is not JSON ({error}); write '\"text\"' with its quotes, or use --text"
            )
        })
    }

    fn options(&self) -> anyhow::Result<DeliveryOptions> {
        let mut options = DeliveryOptions::new().timeout(self.connection.timeout());
        for header in &self.headers {
            let (name, value) = header
                .split_once('=')
                .with_context(|| format!("header `{header}` must look like NAME=VALUE"))?;
            options = options.header(name, value)?;
        }
        Ok(options)
    }
}

fn read_input() -> anyhow::Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("reading the body from standard input, end it with Ctrl-D");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

#[derive(Debug, Args)]
pub(super) struct Request {
    #[command(flatten)]
    message: Message,
}

impl Request {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (body, options) = (self.message.body()?, self.message.options()?);
        let client = self.message.connection.open(Reconnect::never()).await?;
        let reply = client.request_with(self.message.address.as_str(), body, options).await?;
        println!("{}", one_line(reply.body())?);
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Subscribe {
    /// The addresses.
    #[arg(required = true)]
    addresses: Vec<String>,
    /// The addresses are patterns: words between dots (`news.*`, `news.>`, `news.#`), or levels
    /// between slashes (`news/+`, `news/#`).
    #[arg(long)]
    pattern: bool,
    /// End after this many messages.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Print bodies only, without address and headers.
    #[arg(long)]
    body: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Subscribe {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.connection.open(Reconnect::default()).await?;
        let mut options = ConsumerOptions::new();
        options.is_pattern = self.pattern;
        let consumer = |address: &String| client.consumer_with(address.as_str(), options.clone());
        let mut messages: SelectAll<_> = self.addresses.iter().map(consumer).collect();
        self.connection.settle(&client).await?;
        // Before anybody is told, who may stop it at once.
        let stop = stop_signal().context("cannot catch signals")?;
        eprintln!("subscribed to {}", self.addresses.join(", "));
        tokio::select! {
            printed = self.print(&mut messages) => printed,
            () = stop => Ok(()),
        }
    }

    async fn print<M: BusMessage>(
        &self,
        messages: &mut (impl futures_core::Stream<Item = M> + Unpin),
    ) -> anyhow::Result<()> {
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let message = messages.next().await.context("the connection was closed for good")?;
            let line = if self.body { one_line(message.body())? } else { document(&message)? };
            println!("{line}");
            left -= 1;
        }
        Ok(())
    }
}

/// The body on one line: strings cannot hold a line break, so all breaks are white space.
fn one_line(body: &Body) -> anyhow::Result<String> {
    Ok(body.as_json().replace(['\n', '\r'], " "))
}

/// `{"address":"news","body":1,"headers":{"k":["v"]},"replyAddress":"r"}`, the last two only where
/// there are any.
fn document(message: &impl BusMessage) -> anyhow::Result<String> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Document<'a> {
        address: &'a str,
        body: &'a RawValue,
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        headers: std::collections::BTreeMap<&'a str, Vec<&'a str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_address: Option<&'a str>,
    }
    let body = one_line(message.body())?;
    let mut headers = std::collections::BTreeMap::<_, Vec<_>>::new();
    for (name, value) in message.headers().iter() {
        headers.entry(name).or_default().push(value);
    }
    let document = Document {
        address: message.address().as_str(),
        body: serde_json::from_str(&body)?,
        headers,
        reply_address: message.reply_address().map(trolleybus_protocol::Address::as_str),
    };
    Ok(serde_json::to_string(&document)?)
}
