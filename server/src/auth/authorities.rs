//! Authorities from elsewhere, such as a database, on top of those in the token.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::access::{AuthFailure, Authenticating, Authenticator, Principal};

/// How long the look-up may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// An authenticator that asks for further authorities, once for each token shown.
///
/// The look-up may take 5 s. When it fails or takes longer, the token is refused with `auth_error`,
/// after which the client may try again.
///
/// ```
/// # use std::sync::Arc;
/// # use trolleybus::access::{Authenticator, Principal};
/// # use trolleybus::auth::WithAuthorities;
/// # fn example(tokens: Arc<dyn Authenticator>) {
/// let with_roles = WithAuthorities::new(tokens, |principal: Principal| async move {
///     match principal.subject() {
///         Some("ada") => Ok(vec!["clerk".to_owned()]),
///         _ => Err("nobody knows them"),
///     }
/// });
/// # }
/// ```
pub struct WithAuthorities<F> {
    tokens: Arc<dyn Authenticator>,
    look_up: F,
}

impl<F, R, E> WithAuthorities<F>
where
    F: Fn(Principal) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<String>, E>> + Send + 'static,
    E: fmt::Display,
{
    /// Wraps an authenticator.
    pub fn new(tokens: Arc<dyn Authenticator>, look_up: F) -> Self {
        Self { tokens, look_up }
    }

    async fn look_up(&self, principal: Principal) -> Result<Principal, AuthFailure> {
        let looked_up = (self.look_up)(principal.clone());
        match tokio::time::timeout(LOOK_UP_MAX, looked_up).await {
            Ok(Ok(authorities)) => Ok(principal.with_authorities(authorities)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot look up authorities");
                Err(AuthFailure::Unavailable)
            }
            Err(_) => {
                tracing::warn!("looking up authorities takes too long");
                Err(AuthFailure::Unavailable)
            }
        }
    }
}

impl<F> fmt::Debug for WithAuthorities<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithAuthorities").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl<F, R, E> Authenticator for WithAuthorities<F>
where
    F: Fn(Principal) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<String>, E>> + Send + 'static,
    E: fmt::Display,
{
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            let principal = self.tokens.authenticate(token).await?;
            self.look_up(principal).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Anybody;

    impl Authenticator for Anybody {
        fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
            Box::pin(async move { Ok(Principal::new(token).with_authority("user")) })
        }
    }

    #[tokio::test]
    async fn authorities_are_added_to_those_of_the_token() {
        let look_up = |who: Principal| async move {
            let name = who.subject().unwrap_or_default().to_owned();
            if name == "ada" { Ok(vec!["clerk".to_owned()]) } else { Err("no such user") }
        };
        let with_clerks = WithAuthorities::new(Arc::new(Anybody), look_up);
        let ada = with_clerks.authenticate("ada").await.unwrap();
        assert!(ada.holds("clerk") && ada.holds("user"));
        assert_eq!(with_clerks.authenticate("bob").await, Err(AuthFailure::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_that_hangs_is_given_up() {
        let hanging = |_| std::future::pending::<Result<Vec<String>, String>>();
        let waiting = WithAuthorities::new(Arc::new(Anybody), hanging);
        assert_eq!(waiting.authenticate("ada").await, Err(AuthFailure::Unavailable));
    }
}
