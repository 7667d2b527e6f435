//! `demo`: the gallery, and the services behind it.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::serve;
use crate::app::Config;
use crate::bridge::{BridgeOptions, Permitted};
use crate::bus::Bus;
use crate::service::{echo, uppercase};

/// Where tabs serve each other; the server only carries their messages.
const TAB_ADDRESSES: [&str; 2] = ["tab.request", "tab.response"];

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Address and port to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder of the built site; `cargo xtask demo` builds it and gives it here.
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
    /// Certificate file in PEM, to serve https and wss; goes with --tls-key.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// File of the certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Permit every address in both directions. For benchmarks and experiments only.
    #[arg(long)]
    open_bridge: bool,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if let Some(www) = self.www.as_ref().filter(|www| !www.join("index.html").is_file()) {
            bail!("no index.html in {}; `cargo xtask build` makes the site", www.display());
        }
        if self.open_bridge {
            eprintln!("WARNING: --open-bridge permits EVERY address in both directions to ANYONE");
            eprintln!("WARNING: who can reach {}. Never use it on a network.", self.listen);
        }
        let bus = Bus::new();
        tokio::spawn(uppercase::serve(bus.clone(), uppercase::REQUEST, uppercase::RESPONSE));
        let _echo = bus.responder(echo::ADDRESS, echo::answer);
        serve::run(bus, self.config(), "Trolleybus demo:", None).await
    }

    fn config(self) -> Config {
        let mut config = Config::default();
        config.server.listen = self.listen;
        config.server.www = self.www;
        config.gateway.http.path = Some("/api".to_owned());
        config.tls.certificate = self.tls_certificate;
        config.tls.key = self.tls_key;
        config.bridge = if self.open_bridge { open_bridge() } else { demo_bridge() };
        config
    }
}

fn open_bridge() -> BridgeOptions {
    BridgeOptions::new().permit_inbound(Permitted::all()).permit_outbound(Permitted::all())
}

/// What the demo needs and no more: messages to the services, their answers, and a way for a
/// shell to touch the page.
fn demo_bridge() -> BridgeOptions {
    let inbound = [uppercase::REQUEST, uppercase::RESPONSE, echo::ADDRESS];
    let outbound = [uppercase::RESPONSE];
    let mut options = BridgeOptions::new();
    for address in inbound.into_iter().chain(TAB_ADDRESSES) {
        options = options.permit_inbound(Permitted::address(address));
    }
    for address in outbound.into_iter().chain(TAB_ADDRESSES) {
        options = options.permit_outbound(Permitted::address(address));
    }
    options
}
