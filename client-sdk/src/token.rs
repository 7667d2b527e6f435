//! Where tokens come from: a callback of the application.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Display};
use core::future::Future;
use core::time::Duration;

use trolleybus_protocol::json::Members;
use trolleybus_protocol::{ByteString, MaybeSend, MaybeSync};

/// A token, empty for none, or why there is none.
pub(crate) type Answer = Result<String, String>;

#[cfg(not(target_arch = "wasm32"))]
mod source {
    use alloc::boxed::Box;
    use alloc::sync::Arc;
    use core::future::Future;
    use core::pin::Pin;

    use super::Answer;

    /// Gives a token later on; the driver waits for it.
    pub(crate) type Fetching = Pin<Box<dyn Future<Output = Answer> + Send>>;
    pub(crate) type Fetch = Arc<dyn Fn() -> Fetching + Send + Sync>;

    pub(super) fn fetch<F: Future<Output = Answer> + Send + 'static>(
        start: impl Fn() -> F + Send + Sync + 'static,
    ) -> Fetch {
        Arc::new(move || Box::pin(start()))
    }
}

#[cfg(target_arch = "wasm32")]
mod source {
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use alloc::string::String;
    use core::future::Future;
    use core::time::Duration;

    use super::{Answer, valid_for};

    /// Takes the token when it is there, with the milliseconds it has left. A callback, because
    /// who needs no futures should not download what runs them.
    pub(crate) type Taker = Box<dyn FnOnce(Result<&str, &str>, Option<u64>)>;
    pub(crate) type Fetch = Rc<dyn Fn(Taker)>;

    pub(super) fn fetch<F: Future<Output = Answer> + 'static>(
        start: impl Fn() -> F + 'static,
    ) -> Fetch {
        Rc::new(move |taker| {
            let token = start();
            js_sys::futures::spawn_local(async move {
                let answer = token.await;
                let since_1970 = Duration::from_secs_f64(js_sys::Date::now() / 1000.0);
                let left = answer.as_ref().ok().and_then(|token| valid_for(token, since_1970));
                taker(answer.as_deref().map_err(String::as_str), left);
            });
        })
    }
}

pub(crate) use source::Fetch;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use source::Fetching;

/// The application's callback; two are equal when they are one.
#[derive(Clone)]
pub(crate) struct TokenSource(pub(crate) Fetch);

impl TokenSource {
    pub(crate) fn new<F, E>(provider: impl Fn() -> F + MaybeSend + MaybeSync + 'static) -> Self
    where
        F: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: Display,
    {
        Self(source::fetch(move || {
            let token = provider();
            async move { token.await.map_err(|error| error.to_string()) }
        }))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl TokenSource {
    pub(crate) fn fetch(&self) -> Fetching {
        self.0()
    }
}

#[cfg(target_arch = "wasm32")]
impl TokenSource {
    pub(crate) fn fetch(&self, taker: impl FnOnce(Result<&str, &str>, Option<u64>) + 'static) {
        self.0(alloc::boxed::Box::new(taker));
    }
}

impl PartialEq for TokenSource {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::addr_eq(&raw const *self.0, &raw const *other.0)
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

/// How many milliseconds a JSON Web Token has left, where its text says so; `now` is the time
/// since 1970. The signature is the server's business.
pub(crate) fn valid_for(token: &str, now: Duration) -> Option<u64> {
    let claims = String::from_utf8(decode(token.split('.').nth(1)?)?).ok()?;
    let claims = ByteString::from(claims);
    let mut members = Members::new(&claims).ok()?;
    let mut expires = None;
    while let Ok(Some((name, value))) = members.next_member() {
        if name == "\"exp\"" {
            expires = value.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok());
        }
    }
    let left = Duration::from_secs(expires?).saturating_sub(now);
    u64::try_from(left.as_millis()).ok()
}

/// The base64 of URLs, without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(claims: &str, now: u64) -> Option<u64> {
        valid_for(&format!("e30.{claims}.c2ln"), Duration::from_secs(now))
    }

    #[test]
    fn expiry_is_read_from_the_claims() {
        // {"sub":"ann","exp":1700000060}
        let claims = "eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDAwNjB9";
        assert_eq!(left(claims, 1_700_000_000), Some(60_000));
        assert_eq!(left(claims, 1_800_000_000), Some(0));
    }

    #[test]
    fn what_says_nothing_of_its_end_has_none() {
        // {"sub":"ann"}, then what is no JSON, no base64, no token.
        for claims in ["eyJzdWIiOiJhbm4ifQ", "bm8", "*", ""] {
            assert_eq!(left(claims, 0), None, "{claims}");
        }
        assert_eq!(valid_for("opaque", Duration::ZERO), None);
    }
}
