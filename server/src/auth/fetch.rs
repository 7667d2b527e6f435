//! One bounded HTTP request for keys: bounded in time and in bytes, without redirects.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

/// Longest answer, in bytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Where keys are published.
pub(super) struct Endpoint {
    url: Url,
    timeout: Duration,
    tls: TlsConnector,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer in time")]
    Timeout,
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("answered with status {0}; redirects are not followed")]
    Status(StatusCode),
    #[error("the answer is longer than 256 KiB, or broke off")]
    Body,
    #[error("no HTTP: {0}")]
    Http(hyper::Error),
}

impl Endpoint {
    /// An endpoint vouched for by the certificates in `ca`, or else by the usual public ones.
    pub(super) fn new(url: Url, ca: Option<&[u8]>, timeout: Duration) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|_| "is no certificate in PEM")?;
                    roots
                        .add(certificate)
                        .map_err(|_| "holds a certificate that vouches for nobody")?;
                }
                if roots.is_empty() {
                    return Err("holds no certificate in PEM".to_owned());
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { url, timeout, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Fetches the answer.
    pub(super) async fn get(&self) -> Result<Bytes, FetchError> {
        let answer = tokio::time::timeout(self.timeout, self.connect_and_get());
        answer.await.map_err(|_| FetchError::Timeout)?
    }

    async fn connect_and_get(&self) -> Result<Bytes, FetchError> {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = self.url.port_or_known_default().unwrap_or(443);
        let stream = TcpStream::connect((host, port)).await.map_err(FetchError::Connect)?;
        if self.url.scheme() == "http" {
            return self.exchange(stream).await;
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| FetchError::Connect(std::io::Error::other(error)))?;
        self.exchange(self.tls.connect(name, stream).await.map_err(FetchError::Connect)?).await
    }

    async fn exchange<S>(&self, stream: S) -> Result<Bytes, FetchError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(FetchError::Http)?;
        let answer = async move {
            let answer = sender.send_request(self.request()).await.map_err(FetchError::Http)?;
            if answer.status() != StatusCode::OK {
                return Err(FetchError::Status(answer.status()));
            }
            let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            Ok(body.map_err(|_| FetchError::Body)?.to_bytes())
        };
        tokio::pin!(answer);
        tokio::select! {
            answer = &mut answer => return answer,
            _ = connection => {}
        }
        // The connection has ended and left what it had.
        answer.await
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        let path = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let host = self.url.host_str().unwrap_or_default();
        let authority = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(header::CONNECTION, "close")
            .body(Empty::new())
            .expect("invariant: parts of a URL make a request")
    }
}
