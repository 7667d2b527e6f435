//! TLS: the certificate in force, and the handshake. One provider of cryptography: `ring`.
//!
//! Files are looked at on an interval, by what they hold and not by their times, which also works
//! where a secret is a link to a folder that is swapped. Connections go on with what they began with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::validity;
use crate::access::ConfigError;

/// TLS 1.2 and 1.3, when both files are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// File of the certificate and those between it and its root, in PEM: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// File of its private key, in PEM: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Time that a client has for the handshake: 10,000 ms.
    pub handshake_timeout_ms: u64,
    /// How often the files are looked at for changes: 10,000 ms.
    pub reload_ms: u64,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self { certificate: None, key: None, handshake_timeout_ms: 10_000, reload_ms: 10_000 }
    }
}

impl TlsConfig {
    /// Whether there is TLS.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.certificate.is_some()
    }

    /// Checks that the values make sense. Files are not read.
    ///
    /// # Errors
    /// The first value that does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => return Err(ConfigError::new("key", "must go with `certificate`")),
            (None, Some(_)) => return Err(ConfigError::new("certificate", "must go with `key`")),
            _ => {}
        }
        for (key, value) in
            [("handshake_timeout_ms", self.handshake_timeout_ms), ("reload_ms", self.reload_ms)]
        {
            if value == 0 {
                return Err(ConfigError::new(key, "must be at least 1"));
            }
        }
        Ok(())
    }

    /// Reads the files and checks that they belong together and that the certificate holds today.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        let Some(files) = Files::read(self)? else { return Ok(()) };
        let certified = files.certified()?;
        match untimely(&certified) {
            Some(problem) => Err(ConfigError::new("certificate", problem)),
            None => Ok(()),
        }
    }
}

/// What the files held when they were looked at.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(config: &TlsConfig) -> Result<Option<Self>, ConfigError> {
        let (Some(certificate), Some(key)) = (&config.certificate, &config.key) else {
            return Ok(None);
        };
        Ok(Some(Self { certificate: read("certificate", certificate)?, key: read("key", key)? }))
    }

    /// The certificate with its key, which must belong to it.
    fn certified(&self) -> Result<CertifiedKey, ConfigError> {
        let wrong = |problem: &str| ConfigError::new("certificate", problem);
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|_| wrong("is not in PEM"))?;
        if chain.is_empty() {
            return Err(wrong("holds no certificate in PEM"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| ConfigError::new("key", "holds no private key in PEM"))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                ConfigError::new("key", "does not belong to the certificate")
            }
            rustls::Error::InvalidCertificate(_) => {
                wrong("holds a certificate that cannot be read")
            }
            _ => ConfigError::new("key", "is none for RSA (2048 bits or more), ECDSA or Ed25519"),
        })
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| {
        ConfigError::new(key, format!("cannot be read: {}: {error}", path.display()))
    })
}

/// Why the first certificate does not hold today, as far as that can be seen.
fn untimely(certified: &CertifiedKey) -> Option<&'static str> {
    let (begins, ends) = validity::of_certificate(certified.cert.first()?)?;
    let now = SystemTime::now();
    if now >= ends {
        Some("has expired")
    } else if now < begins {
        Some("is not valid yet")
    } else {
        None
    }
}

/// Takes TLS connections. Clones share the certificate.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    handshake_timeout: Duration,
}

/// The certificate in force.
#[derive(Debug)]
struct InForce(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for InForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

/// Keeps the certificate of a [`Tls`] fresh.
pub(super) struct TlsDriver {
    config: TlsConfig,
    in_force: Arc<InForce>,
    seen: Result<Option<Files>, ConfigError>,
}

/// TLS as the configuration asks for it, none if it does not.
pub(super) fn build(config: &TlsConfig) -> Result<Option<(Tls, TlsDriver)>, ConfigError> {
    let Some(files) = Files::read(config)? else { return Ok(None) };
    let certified = files.certified()?;
    if let Some(problem) = untimely(&certified) {
        tracing::error!(problem, "clients will refuse the certificate");
    }
    let in_force = Arc::new(InForce(RwLock::new(Arc::new(certified))));
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new("certificate", error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&in_force) as Arc<dyn ResolvesServerCert>);
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tls = Tls {
        acceptor: TlsAcceptor::from(Arc::new(server)),
        handshake_timeout: Duration::from_millis(config.handshake_timeout_ms),
    };
    Ok(Some((tls, TlsDriver { config: config.clone(), in_force, seen: Ok(Some(files)) })))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsDriver").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Tls {
    /// The handshake, in its time.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let accepted = tokio::time::timeout(self.handshake_timeout, self.acceptor.accept(stream));
        accepted.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }
}

impl TlsDriver {
    /// Looks at the files until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let every = Duration::from_millis(self.config.reload_ms);
        let mut looks = tokio::time::interval_at(Instant::now() + every, every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => self.look().await,
            }
        }
    }

    async fn look(&mut self) {
        let config = self.config.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || Files::read(&config)).await else {
            return;
        };
        if now == self.seen {
            return;
        }
        let certified = match &now {
            Ok(Some(files)) => files.certified(),
            Ok(None) => return,
            Err(error) => Err(error.clone()),
        };
        self.seen = now;
        match certified {
            Ok(certified) => {
                if let Some(problem) = untimely(&certified) {
                    tracing::error!(problem, "clients will refuse the new certificate");
                }
                tracing::info!("the certificate has changed");
                *self.in_force.0.write() = Arc::new(certified);
            }
            Err(error) => {
                let error = error.within("tls");
                tracing::error!(%error, "the new certificate is no good, the one from before stays");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A folder as an orchestrator mounts a secret: files are links through a link to a folder,
    /// which alone is swapped.
    struct Secret(PathBuf);

    impl Secret {
        fn new() -> Self {
            let name = format!("trolleybus-secret-{}", std::process::id());
            let secret = Self(std::env::temp_dir().join(name));
            std::fs::create_dir_all(&secret.0).unwrap();
            for file in ["cert.pem", "key.pem"] {
                std::os::unix::fs::symlink(format!("data/{file}"), secret.0.join(file)).unwrap();
            }
            secret
        }

        /// Swaps the folder for another one with these files, at once.
        fn swap(&self, name: &str, certificate: &str, key: &str) {
            let folder = self.0.join(name);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("cert.pem"), certificate).unwrap();
            std::fs::write(folder.join("key.pem"), key).unwrap();
            std::os::unix::fs::symlink(name, self.0.join("next")).unwrap();
            std::fs::rename(self.0.join("next"), self.0.join("data")).unwrap();
        }

        fn config(&self) -> TlsConfig {
            let file = |name: &str| Some(self.0.join(name));
            TlsConfig {
                certificate: file("cert.pem"),
                key: file("key.pem"),
                ..TlsConfig::default()
            }
        }
    }

    impl Drop for Secret {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn identity() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[tokio::test]
    async fn only_a_whole_new_pair_takes_the_place_of_the_old_one() {
        let ((old, old_key), (new, new_key)) = (identity(), identity());
        let secret = Secret::new();
        secret.swap("1", &old, &old_key);
        let (_, mut driver) = build(&secret.config()).unwrap().unwrap();
        let in_force = |driver: &TlsDriver| Arc::clone(&driver.in_force.0.read());
        let first = in_force(&driver);
        driver.look().await;
        for (name, certificate, key) in
            [("2", "nonsense", &*old_key), ("3", &*new, &*old_key), ("4", "", ""), ("5", &*old, "")]
        {
            secret.swap(name, certificate, key);
            driver.look().await;
            assert!(Arc::ptr_eq(&first, &in_force(&driver)), "{name}");
        }
        std::fs::remove_file(secret.0.join("data")).unwrap();
        driver.look().await;
        assert!(Arc::ptr_eq(&first, &in_force(&driver)));
        secret.swap("6", &new, &new_key);
        driver.look().await;
        assert_ne!(first.cert, in_force(&driver).cert);
    }

    #[test]
    fn a_certificate_says_when_it_holds() {
        let (certificate, _) = identity();
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let (begins, ends) = validity::of_certificate(&der).unwrap();
        assert!(begins < SystemTime::now() && SystemTime::now() < ends);
    }
}
