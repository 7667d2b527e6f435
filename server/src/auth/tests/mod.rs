//! Tokens that others made, and what must not pass.
//!
//! | File | What is tried |
//! |---|---|
//! | `signatures` | tokens and signatures: which pass, which fail as what |
//! | `files` | keys in files and what a configuration says; files that change |
//! | `endpoint` | keys from a URL |

mod endpoint;
mod files;
mod signatures;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::ALGORITHMS;
use super::*;

/// What another implementation has made, see the note in the file.
#[derive(Deserialize)]
struct Vectors {
    secret: String,
    public: Map<String, Value>,
    jwk: Map<String, Value>,
    tokens: Vec<Vector>,
    confused: Vec<String>,
    none: String,
}

#[derive(Deserialize)]
struct Vector {
    algorithm: String,
    key: String,
    token: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/pyjwt.json")).unwrap()
}

fn all_algorithms() -> Vec<jsonwebtoken::Algorithm> {
    ALGORITHMS.map(|(_, algorithm)| algorithm).into()
}

/// A file that is gone when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("trolleybus-{}-{name}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }

    fn key(&self) -> KeyFile {
        KeyFile { file: self.0.clone(), ..KeyFile::default() }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn authenticator(config: &AuthConfig) -> Arc<JwtAuthenticator> {
    build(config).unwrap().unwrap().0
}
