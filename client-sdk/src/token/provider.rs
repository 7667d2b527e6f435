//! A token source of a function that gives a future.

use alloc::string::{String, ToString};
use core::fmt::Display;
use core::future::Future;

use trolleybus_protocol::{MaybeSend, MaybeSync};

use super::{TokenSource, source};

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
