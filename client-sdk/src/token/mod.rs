//! Where tokens come from: a callback of the application.

// A browser needs no token provider where the application is not in Rust.
#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
mod expiry;
#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
mod provider;

#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
use alloc::string::String;
use core::fmt;

#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
pub(crate) use expiry::valid_for;

/// A token, empty for none, or why there is none.
#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
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

    /// Takes the token when it is there, with the milliseconds it has left. A callback, because
    /// who needs no futures should not download what runs them.
    pub(crate) type Taker = Box<dyn FnOnce(Result<&str, &str>, Option<u64>)>;
    pub(crate) type Fetch = Rc<dyn Fn(Taker)>;

    #[cfg(feature = "futures")]
    pub(super) fn fetch<F: core::future::Future<Output = super::Answer> + 'static>(
        start: impl Fn() -> F + 'static,
    ) -> Fetch {
        Rc::new(move |taker| {
            let token = start();
            js_sys::futures::spawn_local(async move {
                let answer = token.await;
                let since_1970 = js_sys::Date::now() / 1000.0;
                let since_1970 = core::time::Duration::from_secs_f64(since_1970);
                let left = answer.as_deref().ok();
                let left = left.and_then(|token| super::valid_for(token, since_1970));
                taker(answer.as_deref().map_err(|why| &**why), left);
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
