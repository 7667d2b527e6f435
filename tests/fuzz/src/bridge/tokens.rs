//! An authenticator that knows a few words.

use std::time::Duration;

use trolleybus::access::{AuthFailure, Authenticating, Authenticator, Principal};

pub(super) const TOKENS: [&str; 6] = ["ada", "bob", "slow bob", "expired", "unavailable", "?"];

#[derive(Debug)]
pub(super) struct Words;

impl Authenticator for Words {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            match token {
                "ada" | "bob" => Ok(Principal::new(token)),
                "slow bob" => {
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    Ok(Principal::new("bob"))
                }
                "expired" => Err(AuthFailure::Expired),
                "unavailable" => Err(AuthFailure::Unavailable),
                _ => Err(AuthFailure::Invalid),
            }
        })
    }
}

/// Who a client may be, as far as the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Subject {
    #[default]
    Nobody,
    Known(&'static str),
    /// A token is being looked at, or what was said is not known to the model.
    Anybody,
}

impl Subject {
    /// Who it is once it has shown `token` and everything has come to rest.
    pub(super) fn after(self, token: &'static str) -> Self {
        match (token, self) {
            // Behind a slow one, any token waits.
            (_, Self::Anybody) | ("slow bob", _) => Self::Anybody,
            ("ada" | "bob", _) => Self::Known(token),
            _ => self,
        }
    }

    pub(super) fn may_be(self, name: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Known(known) => known == name,
            Self::Anybody => ["ada", "bob"].contains(&name),
        }
    }
}
