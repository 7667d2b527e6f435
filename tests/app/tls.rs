//! The server behind TLS: handshake, WebSocket, certificates that come and go.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt as _;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
};
use trolleybus::app::{Config, TlsConfig};
use trolleybus_tests::support::soon;
use yawc::{Frame, Options, WebSocket};

use super::{Server, config};

/// A folder with a certificate and its key, gone when the test is over.
pub(super) struct Folder(PathBuf);

/// A certificate for localhost, and its key.
pub(super) struct Identity {
    pub(super) certificate: String,
    key: String,
}

impl Identity {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Folder {
    pub(super) fn new(name: &str, identity: &Identity) -> Self {
        let path =
            std::env::temp_dir().join(format!("trolleybus-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write(identity);
        folder
    }

    fn write(&self, identity: &Identity) {
        std::fs::write(self.0.join("key.pem"), &identity.key).unwrap();
        std::fs::write(self.0.join("cert.pem"), &identity.certificate).unwrap();
    }

    fn tls(&self) -> TlsConfig {
        let file = |name: &str| Some(Path::new(&self.0).join(name));
        TlsConfig {
            certificate: file("cert.pem"),
            key: file("key.pem"),
            reload_ms: 5,
            ..TlsConfig::default()
        }
    }

    pub(super) fn config(&self) -> Config {
        Config { tls: self.tls(), ..config() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Connects as one who trusts `identity` alone.
async fn connect(
    addr: SocketAddr,
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

async fn open(addr: SocketAddr, identity: &Identity) -> std::io::Result<TlsStream<TcpStream>> {
    connect(addr, identity, &[&TLS13, &TLS12]).await
}

async fn greeting(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /eventbus/ HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut text = String::new();
    while !text.ends_with("Welcome to SockJS!\n") {
        text.push(char::from(soon(stream.read_u8()).await.unwrap()));
    }
    text
}

#[tokio::test]
async fn both_versions_of_tls_serve_http_1() {
    let identity = Identity::new();
    let folder = Folder::new("versions", &identity);
    let server = Server::start(folder.config()).await;
    for (version, expected) in
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)]
    {
        let mut stream = connect(server.addr, &identity, &[version]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(greeting(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn messages_travel_over_a_secure_websocket() {
    let identity = Identity::new();
    let folder = Folder::new("websocket", &identity);
    let server = Server::start(folder.config()).await;
    let stream = open(server.addr, &identity).await.unwrap();
    let url = "wss://localhost/eventbus/000/secure/websocket".parse().unwrap();
    let mut socket = soon(WebSocket::handshake(url, stream, Options::default())).await.unwrap();
    let text = |frame: Frame| frame.as_str().to_owned();
    assert_eq!(text(soon(socket.next_frame()).await.unwrap()), "o");
    let body = "x".repeat(100_000);
    for envelope in [
        r#"{\"type\":\"register\",\"address\":\"a\"}"#.to_owned(),
        format!(r#"{{\"type\":\"publish\",\"address\":\"a\",\"body\":\"{body}\"}}"#),
    ] {
        let frame = Frame::text(Bytes::from(format!("[\"{envelope}\"]")));
        soon(socket.send(frame)).await.unwrap();
    }
    let expected = format!(r#"a["{{\"type\":\"rec\",\"address\":\"a\",\"body\":\"{body}\"}}"]"#);
    assert_eq!(text(soon(socket.next_frame()).await.unwrap()), expected);
    server.stop.send(()).unwrap();
    assert_eq!(text(soon(socket.next_frame()).await.unwrap()), r#"c[1012,"Service restart"]"#);
    drop(socket);
    soon(server.run).await.unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_connections_go_on() {
    let (old, new) = (Identity::new(), Identity::new());
    let folder = Folder::new("reload", &old);
    let server = Server::start(folder.config()).await;
    let mut before = open(server.addr, &old).await.unwrap();
    greeting(&mut before).await;
    folder.write(&new);
    let taken = async {
        while open(server.addr, &new).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(taken).await;
    assert!(open(server.addr, &old).await.is_err());
    greeting(&mut before).await;
}

#[tokio::test]
async fn a_bad_new_certificate_changes_nothing() {
    let (old, new) = (Identity::new(), Identity::new());
    let folder = Folder::new("bad", &old);
    let server = Server::start(folder.config()).await;
    std::fs::write(folder.0.join("cert.pem"), "nonsense").unwrap();
    for _ in 0..5 {
        greeting(&mut open(server.addr, &old).await.unwrap()).await;
    }
    // A certificate whose key has not been written yet.
    std::fs::write(folder.0.join("cert.pem"), &new.certificate).unwrap();
    for _ in 0..5 {
        greeting(&mut open(server.addr, &old).await.unwrap()).await;
    }
    std::fs::remove_file(folder.0.join("key.pem")).unwrap();
    greeting(&mut open(server.addr, &old).await.unwrap()).await;
    folder.write(&new);
    let taken = async {
        while open(server.addr, &new).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(taken).await;
}

#[tokio::test]
async fn a_slow_handshake_is_cut_off_and_keeps_nobody_waiting() {
    let identity = Identity::new();
    let folder = Folder::new("slow", &identity);
    let mut config = folder.config();
    config.tls.handshake_timeout_ms = 1_500;
    let server = Server::start(config).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    // The beginning of a ClientHello of 512 bytes.
    slow.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    greeting(&mut open(server.addr, &identity).await.unwrap()).await;
    let mut rest = Vec::new();
    soon(slow.read_to_end(&mut rest)).await.ok();
    assert_eq!(rest.len(), 0);
}

#[tokio::test]
async fn plain_http_gets_no_answer_on_a_secure_port() {
    let folder = Folder::new("plain", &Identity::new());
    let server = Server::start(folder.config()).await;
    let mut plain = TcpStream::connect(server.addr).await.unwrap();
    plain.write_all(b"GET /eventbus/ HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    soon(plain.read_to_end(&mut rest)).await.ok();
    assert!(!rest.windows(4).any(|bytes| bytes == b"HTTP"), "{rest:?}");
}

#[tokio::test]
async fn an_unfinished_handshake_does_not_hold_up_the_end() {
    let folder = Folder::new("drain", &Identity::new());
    let mut config = folder.config();
    config.tls.handshake_timeout_ms = 60_000;
    config.server.drain_timeout_ms = 60_000;
    let server = Server::start(config).await;
    let _open = TcpStream::connect(server.addr).await.unwrap();
    server.stop.send(()).unwrap();
    soon(server.run).await.unwrap();
}

#[test]
fn files_that_are_no_good_are_named() {
    let (good, other) = (Identity::new(), Identity::new());
    let expired = Identity::with(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let early = Identity::with(|params| params.not_before = date_time_ymd(2999, 1, 1));
    let mixed = Identity { certificate: good.certificate.clone(), key: other.key };
    let swapped = Identity { certificate: good.key.clone(), key: good.certificate.clone() };
    let no_key = Identity { certificate: good.certificate.clone(), key: String::new() };
    let cases = [
        (&expired, "`tls.certificate` has expired"),
        (&early, "`tls.certificate` is not valid yet"),
        (&mixed, "`tls.key` does not belong to the certificate"),
        (&swapped, "`tls.certificate` holds no certificate in PEM"),
        (&no_key, "`tls.key` holds no private key in PEM"),
    ];
    for (identity, expected) in cases {
        let folder = Folder::new("check", identity);
        let error = folder.config().check_files().unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    let folder = Folder::new("check", &good);
    folder.config().check_files().unwrap();
    let mut missing = folder.config();
    missing.tls.key = Some(folder.0.join("missing"));
    let error = missing.check_files().unwrap_err().to_string();
    assert!(
        error.starts_with("`tls.key` cannot be read: ") && error.contains("/missing: "),
        "{error}"
    );
    missing.tls.key = None;
    assert_eq!(missing.validate().unwrap_err().key, "tls.key");
}
