//! What a configuration file says about tokens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use super::claims::Demands;
use super::key::{ALGORITHMS, Key};
use super::key_file;
use crate::access::{ConfigError, Credentials};

/// Whose tokens are trusted, where they are looked for, and what they must say. Without a key, a
/// secret or a URL of keys nobody is authenticated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Close sockets without a valid token with code 3003: false.
    pub required: bool,
    /// Files of public keys, in PEM or as JWK sets: none.
    pub keys: Vec<KeyFile>,
    /// Secret shared with the issuer, for HS256 (32 bytes or more), HS384 (48) and HS512 (64): none.
    pub secret: Option<Secret>,
    /// File that holds the secret; white space at its end does not count: none.
    pub secret_file: Option<PathBuf>,
    /// Where the issuer publishes its keys as a JWK set: none.
    pub jwks_url: Option<String>,
    /// File of the certificates, in PEM, that vouch for that place: the usual public ones.
    pub jwks_ca: Option<PathBuf>,
    /// How often they are fetched: 300,000 ms. An unknown `kid` fetches them as well, at most once
    /// in 10 s.
    pub jwks_refresh_ms: u64,
    /// Time that may take: 5,000 ms.
    pub jwks_timeout_ms: u64,
    /// How often files are looked at for changes: 10,000 ms.
    pub reload_ms: u64,
    /// Algorithms that are accepted, of those that a key is made for: all but `none`.
    pub algorithms: Vec<String>,
    /// Accepted issuers, claim `iss`; with none, it does not count.
    pub issuers: Vec<String>,
    /// Our names in the claim `aud`, which must hold one of them; with none, tokens that name an
    /// audience are not for us.
    pub audiences: Vec<String>,
    /// Claims that must be there: `exp`.
    pub required_claims: Vec<String>,
    /// Claims that hold authorities, as an array or as words in a text: `permissions`. Those within
    /// objects go by their path, `realm_access.roles`.
    pub authorities: Vec<String>,
    /// How wrong clocks may be: 30,000 ms.
    pub leeway_ms: u64,
    /// Longest token, in bytes: 8,192.
    pub max_token_length: usize,
    /// Look for the token in `Authorization: Bearer`: true.
    pub bearer: bool,
    /// Look for it in the query parameter of this name: none.
    pub query: Option<String>,
    /// Look for it in the cookie of this name: none. Needs `sockjs.allowed_origins`.
    pub cookie: Option<String>,
    /// Take it from an `authenticate` envelope, first or in place of one that expires: true.
    pub envelope: bool,
    /// How long a socket may stay without a required token that may still come in an envelope:
    /// 5,000 ms.
    pub grace_ms: u64,
}

/// A file of public keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFile {
    /// One public key in PEM, one JWK, or a JWK set.
    pub file: PathBuf,
    /// The `kid` of a key that does not name itself: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The only algorithms it is for: those of `auth.algorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            required: false,
            keys: Vec::new(),
            secret: None,
            secret_file: None,
            jwks_url: None,
            jwks_ca: None,
            jwks_refresh_ms: 300_000,
            jwks_timeout_ms: 5_000,
            reload_ms: 10_000,
            algorithms: ALGORITHMS.map(|(name, _)| name.to_owned()).into(),
            issuers: Vec::new(),
            audiences: Vec::new(),
            required_claims: vec!["exp".to_owned()],
            authorities: vec!["permissions".to_owned()],
            leeway_ms: 30_000,
            max_token_length: 8_192,
            bearer: true,
            query: None,
            cookie: None,
            envelope: true,
            grace_ms: 5_000,
        }
    }
}

impl AuthConfig {
    /// Whether there is anything to check tokens with.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !self.keys.is_empty()
            || self.secret.is_some()
            || self.secret_file.is_some()
            || self.jwks_url.is_some()
    }

    /// Where requests carry their tokens.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        let (query, cookie) = (self.query.clone(), self.cookie.clone());
        Credentials { bearer: self.bearer, query, cookie }
    }

    /// Checks that the values make sense. Files are not read.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.required && !self.is_enabled() {
            let problem = "is true, and there are no `keys`, `secret`, `secret_file` or `jwks_url` to check tokens with";
            return Err(ConfigError::new("required", problem));
        }
        let positive = [
            ("jwks_refresh_ms", self.jwks_refresh_ms),
            ("jwks_timeout_ms", self.jwks_timeout_ms),
            ("reload_ms", self.reload_ms),
            ("grace_ms", self.grace_ms),
            ("max_token_length", self.max_token_length as u64),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::new(*key, "must be at least 1"));
        }
        if self.secret.is_some() && self.secret_file.is_some() {
            return Err(ConfigError::new("secret_file", "cannot go together with `secret`"));
        }
        self.allowed_algorithms()?;
        self.jwks_url()?;
        for (index, key) in self.keys.iter().enumerate() {
            if key.file.as_os_str().is_empty() {
                return Err(ConfigError::new(format!("keys[{index}].file"), "is missing"));
            }
            if !key.algorithms.is_empty() {
                parse_all(&format!("keys[{index}].algorithms"), &key.algorithms)?;
            }
        }
        let is_word =
            |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        for (key, name) in [("query", &self.query), ("cookie", &self.cookie)] {
            if name.as_deref().is_some_and(|name| name.is_empty() || !is_word(name)) {
                let problem = "must be a name of letters, digits, `-`, `_` and `.`";
                return Err(ConfigError::new(key, problem));
            }
        }
        Ok(())
    }

    /// Reads all files and checks what is in them, for `check-config` and at start.
    ///
    /// # Errors
    /// The first file that cannot be read or used, by its key.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        self.load_keys().map(drop)?;
        self.read_ca().map(drop)
    }

    pub(super) fn allowed_algorithms(&self) -> Result<Vec<Algorithm>, ConfigError> {
        if self.algorithms.is_empty() {
            return Err(ConfigError::new("algorithms", "is empty: no token could be accepted"));
        }
        parse_all("algorithms", &self.algorithms)
    }

    pub(super) fn jwks_url(&self) -> Result<Option<Url>, ConfigError> {
        let wrong = |problem: &str| ConfigError::new("jwks_url", problem);
        let Some(text) = &self.jwks_url else { return Ok(None) };
        let url = Url::parse(text).map_err(|_| wrong("is no URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not hold a user name or password"));
        }
        match (url.scheme(), url.host_str()) {
            ("https" | "http", Some(_)) => Ok(Some(url)),
            _ => {
                Err(wrong("must start with `https://`, or `http://` on a network that is trusted"))
            }
        }
    }

    pub(super) fn demands(&self) -> Demands {
        Demands {
            leeway: Duration::from_millis(self.leeway_ms),
            issuers: self.issuers.clone(),
            audiences: self.audiences.clone(),
            required: self.required_claims.clone(),
            authorities: self.authorities.clone(),
        }
    }

    pub(super) fn read_ca(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        self.jwks_ca.as_deref().map(|path| read("jwks_ca", path)).transpose()
    }

    /// The keys of all files, and the secret.
    pub(super) fn load_keys(&self) -> Result<Vec<Key>, ConfigError> {
        self.parse_keys(&self.read_files()?)
    }

    /// What is in the files of keys now, the file of the secret last.
    pub(super) fn read_files(&self) -> Result<Vec<Vec<u8>>, ConfigError> {
        let named = self.keys.iter().enumerate();
        let named = named.map(|(index, key)| (format!("keys[{index}].file"), key.file.as_path()));
        let secret = self.secret_file.iter().map(|path| ("secret_file".to_owned(), path.as_path()));
        named.chain(secret).map(|(key, path)| read(&key, path)).collect()
    }

    /// The keys in what [`AuthConfig::read_files`] has read, and the secret.
    pub(super) fn parse_keys(&self, files: &[Vec<u8>]) -> Result<Vec<Key>, ConfigError> {
        let allowed = self.allowed_algorithms()?;
        let mut keys = Vec::new();
        for (index, (key, text)) in self.keys.iter().zip(files).enumerate() {
            let wrong = |problem: String| {
                let problem = format!("({}) {problem}", key.file.display());
                ConfigError::new(format!("keys[{index}].file"), problem)
            };
            let mut wanted = allowed.clone();
            if !key.algorithms.is_empty() {
                let own = parse_all("algorithms", &key.algorithms)?;
                wanted.retain(|algorithm| own.contains(algorithm));
            }
            keys.extend(key_file::keys(text, key.id.as_deref(), &wanted).map_err(wrong)?);
        }
        let from_file = self.secret_file.is_some().then(|| files.last()).flatten();
        let secrets = [
            ("secret", self.secret.as_ref().map(Secret::as_bytes)),
            ("secret_file", from_file.map(Vec::as_slice)),
        ];
        for (key, secret) in secrets {
            let Some(secret) = secret else { continue };
            let secret = key_file::secret(secret, None, &allowed);
            keys.push(secret.map_err(|problem| ConfigError::new(key, problem))?);
        }
        Ok(keys)
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| {
        ConfigError::new(key, format!("cannot be read: {}: {error}", path.display()))
    })
}

fn parse_all(key: &str, names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
    let parse = |name: &String| {
        let known = ALGORITHMS.iter().find(|(known, _)| known == name);
        known.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            let all = ALGORITHMS.map(|(known, _)| known).join(", ");
            ConfigError::new(key, format!("has `{name}`; allowed are {all}"))
        })
    };
    names.iter().map(parse).collect()
}
