//! One bound for both worlds: elsewhere things travel between threads, a browser has one.

#[cfg(not(target_arch = "wasm32"))]
mod bounds {
    /// `Send` where things travel between threads, and nothing in a browser.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}

    /// `Sync` where things are shared between threads, and nothing in a browser.
    pub trait MaybeSync: Sync {}
    impl<T: Sync + ?Sized> MaybeSync for T {}
}

#[cfg(target_arch = "wasm32")]
mod bounds {
    /// `Send` where things travel between threads, and nothing in a browser.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}

    /// `Sync` where things are shared between threads, and nothing in a browser.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}
}

pub use bounds::{MaybeSend, MaybeSync};
