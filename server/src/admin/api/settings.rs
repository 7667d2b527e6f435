//! `GET /config`, `POST /rules/reload`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::admin::answer::{Answered, Refused, answer};
use crate::admin::config::REDACTED;
use crate::admin::handle::Shared;
use crate::admin::ports::ReloadError;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/config", get(config)).route("/rules/reload", post(reload))
}

async fn config(State(shared): State<Arc<Shared>>) -> Response {
    let mut config = shared.ports.settings.config();
    redact(&mut config);
    answer(&config)
}

/// Reading a file may take a moment, so not on a thread that serves.
async fn reload(State(shared): State<Arc<Shared>>) -> Answered {
    let settings = Arc::clone(&shared.ports.settings);
    let reloaded = tokio::task::spawn_blocking(move || settings.reload_rules()).await;
    match reloaded {
        Ok(Ok(())) => Ok(answer(&json!({ "reloaded": true }))),
        Ok(Err(ReloadError::Wrong(text))) => Err(Refused::Failed(text)),
        Ok(Err(ReloadError::Nothing)) => {
            Err(Refused::Absent("the server was started without a configuration file"))
        }
        Err(_) => Err(Refused::Failed("reading the rules failed".into())),
    }
}

/// Hides every text whose key sounds secret: one more guard, should a room forget.
fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => {
            for (key, value) in fields {
                if sounds_secret(key) && !value.is_null() && !value.is_boolean() {
                    *value = Value::from(REDACTED);
                } else {
                    redact(value);
                }
            }
        }
        _ => {}
    }
}

/// `token`, `hmac_secret`, `private_key`; but not where such a thing is, how long it lasts, or what
/// it is called.
fn sounds_secret(key: &str) -> bool {
    let is_about = ["_file", "_url", "_ms", "_cookie", "_name", "_parameter", "_size", "_path"];
    let words = ["secret", "token", "password", "key"];
    let last = key.rsplit('_').next().unwrap_or_default();
    let last = last.strip_suffix('s').unwrap_or(last);
    words.contains(&last) && !is_about.iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_secret_is_hidden_wherever_it_is() {
        let mut config = json!({
            "auth": { "keys": [{ "secret": "a" }], "hmac_secret": "b", "token_file": "t" },
            "list": [{ "password": "c", "token_lifetime_ms": 5 }],
            "admin": { "token": null, "listen": "127.0.0.1:0" },
        });
        redact(&mut config);
        assert_eq!(
            config,
            json!({
                "auth": { "keys": REDACTED, "hmac_secret": REDACTED, "token_file": "t" },
                "list": [{ "password": REDACTED, "token_lifetime_ms": 5 }],
                "admin": { "token": null, "listen": "127.0.0.1:0" },
            })
        );
    }
}
