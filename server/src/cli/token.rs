//! `token`: mints tokens to try things out, and makes keys for that.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::app;
use crate::auth::{AuthConfig, KeyKind, SigningKey};

#[derive(Debug, Args)]
pub(super) struct Token {
    /// Who it is, claim `sub`.
    #[arg(long, value_name = "NAME")]
    sub: Option<String>,
    /// An authority; may be repeated. Goes into the first claim of `auth.authorities`.
    #[arg(long = "authority", value_name = "AUTHORITY")]
    authorities: Vec<String>,
    /// A further claim, such as `org.id=7` or `name=Ada`; may be repeated. The value is JSON, or
    /// else plain text.
    #[arg(long = "claim", value_name = "PATH=VALUE")]
    claims: Vec<String>,
    /// How long it holds: 90s, 15m, 1h, 7d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_time)]
    expires: Duration,
    /// Claim `iss`; with --config the first of `auth.issuers`.
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// Claim `aud`; with --config the first of `auth.audiences`.
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Private key in PEM to sign with.
    #[arg(long, value_name = "FILE", conflicts_with = "secret_file")]
    key: Option<PathBuf>,
    /// File of the secret to sign with.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Configuration of the server; its secret signs unless a key is given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Algorithm, such as RS256 or ES256; the usual one of the key.
    #[arg(long, value_name = "NAME")]
    alg: Option<String>,
    /// Name of the key, header `kid`.
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    /// Make a key instead of a token: FILE gets the private key or secret, FILE.pub the public key.
    #[arg(long, value_names = ["KIND", "FILE"], num_args = 2)]
    generate_key: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Ed25519,
    Es256,
    Hs256,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if let Some([kind, file]) = self.generate_key.as_deref() {
            return generate(kind, Path::new(file));
        }
        let config = match &self.config {
            None => None,
            Some(file) => Some(app::load(Some(file), std::env::vars(), |_| {})?.auth),
        };
        let key = self.signing_key(config.as_ref())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = self.claims(&config.unwrap_or_default(), now)?;
        let token = key.sign(&claims, self.alg.as_deref(), self.kid.as_deref());
        println!("{}", token.map_err(|problem| anyhow!("the key {problem}"))?);
        Ok(())
    }

    fn signing_key(&self, config: Option<&AuthConfig>) -> anyhow::Result<SigningKey> {
        if let Some(file) = &self.key {
            return SigningKey::from_pem(&read(file)?).map_err(|why| no_key(file, why));
        }
        let of_config = config.and_then(|config| config.secret_file.as_ref());
        if let Some(file) = self.secret_file.as_ref().or(of_config) {
            return SigningKey::from_secret(&read(file)?).map_err(|why| no_key(file, why));
        }
        match config.map(|config| &config.secret) {
            Some(Some(secret)) => SigningKey::from_secret(secret.as_bytes())
                .map_err(|why| anyhow!("`auth.secret` {why}")),
            Some(None) => bail!(
                "the configuration has no secret to sign with; give the private key with --key FILE"
            ),
            None => bail!(
                "there is nothing to sign with; give --key FILE, --secret-file FILE or --config FILE, \
                 or make a key with --generate-key ed25519 FILE"
            ),
        }
    }

    fn claims(&self, config: &AuthConfig, now: Duration) -> anyhow::Result<Map<String, Value>> {
        let mut claims = Map::new();
        let issuer = self.issuer.as_ref().or(config.issuers.first());
        let audience = self.audience.as_ref().or(config.audiences.first());
        for (name, value) in [("sub", self.sub.as_ref()), ("iss", issuer), ("aud", audience)] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value.as_str().into());
            }
        }
        claims.insert("iat".to_owned(), now.as_secs().into());
        claims.insert("exp".to_owned(), (now + self.expires).as_secs().into());
        if !self.authorities.is_empty() {
            let path = config.authorities.first();
            let path = path.context("`auth.authorities` names no claim for --authority")?;
            set(&mut claims, path, json!(self.authorities))?;
        }
        for claim in &self.claims {
            let (path, value) = claim
                .split_once('=')
                .with_context(|| format!("claim `{claim}` must look like PATH=VALUE"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            set(&mut claims, path, value)?;
        }
        Ok(claims)
    }
}

/// Puts a claim where a path such as `org.id` leads.
fn set(claims: &mut Map<String, Value>, path: &str, value: Value) -> anyhow::Result<()> {
    let Some((first, rest)) = path.split_once('.') else {
        claims.insert(path.to_owned(), value);
        return Ok(());
    };
    match claims.entry(first).or_insert_with(|| json!({})) {
        Value::Object(inner) => set(inner, rest, value),
        _ => bail!("claim `{first}` is no object, so it has no `{rest}`"),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number with s, m, h or d behind it, such as 15m".to_owned();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    // A hundred years, so that sums of times stay sensible.
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds <= 36_525 * 24 * 60 * 60);
    seconds.map(Duration::from_secs).ok_or_else(|| "is more than a hundred years".to_owned())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn no_key(file: &Path, why: &str) -> anyhow::Error {
    anyhow!("{} {why}", file.display())
}

/// Writes a new key, never over an old one.
fn generate(kind: &str, file: &Path) -> anyhow::Result<()> {
    let kind = match Kind::from_str(kind, true) {
        Ok(Kind::Ed25519) => KeyKind::Ed25519,
        Ok(Kind::Es256) => KeyKind::Es256,
        Ok(Kind::Hs256) => KeyKind::Hs256,
        Err(_) => bail!("cannot make a key of kind `{kind}`; it can be ed25519, es256 or hs256"),
    };
    let key = kind.generate().map_err(|why| anyhow!("cannot make a key: {why}"))?;
    write(file, 0o600, &key.private)?;
    let mut written = file.display().to_string();
    if let Some(public) = &key.public {
        let mut name = file.as_os_str().to_owned();
        name.push(".pub");
        let name = PathBuf::from(name);
        write(&name, 0o644, public)?;
        written = format!("{written} and {}", name.display());
    }
    eprintln!("wrote {written}");
    Ok(())
}

fn write(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: Token,
    }

    fn token(line: &[&str]) -> Token {
        Line::try_parse_from([&["token"], line].concat()).unwrap().token
    }

    #[test]
    fn claims_are_made_of_flags_and_configuration() {
        let line = ["--sub", "ada", "--authority", "a", "--authority", "b", "--claim", "org.id=7"];
        let token = token(&[&line[..], &["--claim", "org.name=x y", "--expires", "2m"]].concat());
        let config = AuthConfig {
            authorities: vec!["realm.roles".into()],
            audiences: vec!["bus".into()],
            ..AuthConfig::default()
        };
        let claims = token.claims(&config, Duration::from_secs(1000)).unwrap();
        let expected = json!({
            "sub": "ada", "aud": "bus", "iat": 1000, "exp": 1120,
            "realm": {"roles": ["a", "b"]}, "org": {"id": 7, "name": "x y"},
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn mistakes_are_named() {
        let problem = |line: &[&str]| {
            token(line).claims(&AuthConfig::default(), Duration::ZERO).unwrap_err().to_string()
        };
        assert!(problem(&["--claim", "a"]).contains("PATH=VALUE"));
        assert!(problem(&["--claim", "a=1", "--claim", "a.b=2"]).contains("`a` is no object"));
        let nothing = token(&[]).signing_key(None).unwrap_err().to_string();
        assert!(nothing.contains("--secret-file"), "{nothing}");
    }

    #[test]
    fn times_have_units() {
        assert_eq!(parse_time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "5", "h", "1 h", "-1h", "1.5h", "1y", "99999999999d", "5é"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
