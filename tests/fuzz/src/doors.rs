//! Who may come in: pages by their origin, and clients behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use trolleybus::app::{ForwardedHeader, Proxies};
use trolleybus::sockjs::Origins;
use url::Url;

use crate::reader::Reader;

const EXACT: &str = "https://app.example.com";
const BELOW: &str = "https://*.example.org";

/// Any list is one or is refused; and a fixed one against a reading by the `url` crate.
pub(crate) fn origins(data: &[u8]) {
    let mut reader = Reader(data);
    let listed: Vec<String> = (0..reader.below(4)).map(|_| reader.text(32)).collect();
    let is_required = reader.below(2) == 1;
    let mut headers = HeaderMap::new();
    let names = [header::ORIGIN, header::HOST, header::REFERER];
    for name in names.into_iter().chain([HeaderName::from_static("sec-fetch-site")]) {
        if reader.below(4) > 0
            && let Ok(value) = HeaderValue::from_str(&reader.text(40))
        {
            headers.insert(name, value);
        }
    }
    if let Ok(origins) = Origins::new(&listed, is_required) {
        let passes = origins.allows(&headers);
        assert!(passes || !origins.is_any());
        if is_required && !headers.contains_key(header::ORIGIN) {
            assert!(!passes, "no origin, and yet in");
        }
    }
    let fixed = Origins::new(&[EXACT.to_owned(), BELOW.to_owned()], false).expect("origins");
    let passes = fixed.allows(&headers);
    if let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok())
        && let Some(is_listed) = is_listed(origin)
    {
        assert_eq!(passes, is_listed, "{origin:?}");
    }
    if let Some(origin) = headers.get(header::ORIGIN).cloned() {
        headers.append(header::ORIGIN, origin);
        assert!(!fixed.allows(&headers), "two origins");
    }
}

/// Of what browsers write as an origin.
fn is_listed(origin: &str) -> Option<bool> {
    let origin = origin.to_ascii_lowercase();
    let url = Url::parse(&origin).ok()?;
    let is_written_so = url.origin().ascii_serialization() == origin;
    (is_written_so && url.scheme() != "blob").then(|| {
        let is_below = url.host_str().is_some_and(|host| {
            host.strip_suffix(".example.org").is_some_and(|front| !front.is_empty())
        });
        origin == EXACT || url.scheme() == "https" && url.port().is_none() && is_below
    })
}

/// A peer that is no proxy is believed nothing, and the client is never the word of somebody whom
/// we do not trust: it is the peer, or an address behind trusted ones only.
pub(crate) fn forwarded(data: &[u8]) {
    let mut reader = Reader(data);
    let trusted = ["10.0.0.0/8".parse(), "2001:db8:ffff::/48".parse()];
    let trusted = trusted.map(|network| network.expect("a network"));
    let (header, name) = reader.pick(&[
        (ForwardedHeader::XForwardedFor, "x-forwarded-for"),
        (ForwardedHeader::Forwarded, "forwarded"),
    ]);
    let peers: [IpAddr; 3] = [[10, 0, 0, 1].into(), [192, 0, 2, 1].into(), [127, 0, 0, 1].into()];
    let peer = SocketAddr::new(reader.pick(&peers), 4711);
    let mut headers = HeaderMap::new();
    for _ in 0..reader.below(4) {
        if let Ok(value) = HeaderValue::from_str(&reader.text(64)) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let proxies = Proxies::new(&trusted, header);
    let client = proxies.client(peer, &headers);
    assert_eq!(client.port(), 4711);
    if !proxies.is_trusted(peer.ip()) {
        assert_eq!(client, peer);
        return;
    }
    // What the client wrote before all that changes nothing once somebody else was found.
    if !proxies.is_trusted(client.ip()) {
        let lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
        let mut forged = HeaderMap::new();
        let forgery = match header {
            ForwardedHeader::XForwardedFor => "203.0.113.66",
            ForwardedHeader::Forwarded => "for=203.0.113.66",
        };
        for line in std::iter::once(HeaderValue::from_static(forgery)).chain(lines) {
            forged.append(HeaderName::from_static(name), line);
        }
        assert_eq!(proxies.client(peer, &forged), client);
    }
}
