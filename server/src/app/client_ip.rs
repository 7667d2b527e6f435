//! Whose connection it is, behind proxies that we trust.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use crate::access::limits::Network;

/// The header in which the trusted proxies say for whom they speak. One only: a proxy that sets one
/// of them passes on what clients write in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 192.0.2.1, 10.0.0.1`
    #[default]
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// `Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]"` (RFC 7239)
    #[serde(rename = "forwarded")]
    Forwarded,
}

static NOTICED: AtomicBool = AtomicBool::new(false);

/// The proxies that we believe.
#[derive(Debug, Clone)]
pub struct Proxies {
    trusted: Box<[Network]>,
    header: ForwardedHeader,
}

impl Proxies {
    /// Those of these networks, who tell for whom they speak in this header.
    #[must_use]
    pub fn new(trusted: &[Network], header: ForwardedHeader) -> Self {
        Self { trusted: trusted.into(), header }
    }

    /// Whether this is the address of one of them.
    #[must_use]
    pub fn is_trusted(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(ip))
    }

    /// The client's address: the peer's, unless that is a trusted proxy. Then it is the last in the
    /// list that no trusted proxy has, for what stands before that the client itself may have
    /// written. The port is the peer's in any case.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if self.trusted.is_empty() || !self.is_trusted(peer.ip()) {
            return peer;
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => http::header::FORWARDED,
        };
        let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        let mut client = peer.ip();
        for hop in hops.into_iter().rev() {
            // Nonsense was not written by a proxy that we trust.
            let Some(ip) = self.address(hop.trim()) else { break };
            client = ip;
            if !self.is_trusted(ip) {
                break;
            }
        }
        SocketAddr::new(client, peer.port())
    }

    /// Says once that limits by network address do nothing, when an exempt peer speaks for others:
    /// most likely a proxy on this machine that is not among the trusted.
    pub(super) fn notice(&self, is_exempt: bool, headers: &HeaderMap) {
        let speaks_for_others = || headers.contains_key("x-forwarded-for");
        if is_exempt
            && self.trusted.is_empty()
            && speaks_for_others()
            && !NOTICED.swap(true, Relaxed)
        {
            tracing::warn!(
                "requests come through a proxy on an exempt network: list it in \
                 server.trusted_proxies, or limits by network address do nothing"
            );
        }
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        let node = match self.header {
            ForwardedHeader::XForwardedFor => hop,
            ForwardedHeader::Forwarded => hop.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
            })?,
        };
        let bracketed = || node.strip_prefix('[')?.split(']').next()?.parse().ok();
        let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
        node.parse().ok().or_else(with_port).or_else(bracketed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
        let proxies = Proxies::new(&trusted, header);
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = match header {
                ForwardedHeader::XForwardedFor => "x-forwarded-for",
                ForwardedHeader::Forwarded => "forwarded",
            };
            headers.append(name, line.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        let client = proxies.client(peer, &headers);
        assert_eq!(client.port(), 1234);
        client.ip().to_string()
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_the_client_whatever_it_says() {
        let by = |lines: &[&str]| client(ForwardedHeader::XForwardedFor, "192.0.2.9", lines);
        assert_eq!(by(&["198.51.100.1"]), "192.0.2.9");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        let by = |lines: &[&str]| client(ForwardedHeader::XForwardedFor, "10.0.0.1", lines);
        assert_eq!(by(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(by(&["198.51.100.66, 192.0.2.1, 10.0.0.7"]), "192.0.2.1");
        assert_eq!(by(&["198.51.100.66", "192.0.2.1 ,10.0.0.7"]), "192.0.2.1");
        assert_eq!(by(&["192.0.2.1:5678"]), "192.0.2.1");
        assert_eq!(by(&["[2001:db8::1]:5678"]), "2001:db8::1");
        assert_eq!(by(&["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn nonsense_ends_the_walk_at_the_proxy_that_passed_it_on() {
        let by = |lines: &[&str]| client(ForwardedHeader::XForwardedFor, "10.0.0.1", lines);
        assert_eq!(by(&[]), "10.0.0.1");
        assert_eq!(by(&["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(by(&["192.0.2.1, nonsense, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(by(&["10.0.0.9, 10.0.0.7"]), "10.0.0.9");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let by = |lines: &[&str]| client(ForwardedHeader::Forwarded, "2001:db8:ffff::1", lines);
        assert_eq!(by(&["for=192.0.2.1;proto=https;by=10.0.0.1"]), "192.0.2.1");
        assert_eq!(by(&["For=\"[2001:db8::5]:4711\", for=10.0.0.3"]), "2001:db8::5");
        assert_eq!(by(&["proto=https"]), "2001:db8:ffff::1");
        assert_eq!(by(&["for=192.0.2.7, for=_hidden"]), "2001:db8:ffff::1");
    }
}
