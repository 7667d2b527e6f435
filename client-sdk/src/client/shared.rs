//! One cell for both worlds: a browser has one thread and needs no lock, elsewhere handles
//! travel between threads.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use locked::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use single::*;

#[cfg(target_arch = "wasm32")]
mod single {
    pub(crate) use alloc::rc::{Rc as Ref, Weak as WeakRef};
    use core::cell::{RefCell, RefMut};

    pub(crate) struct Shared<T: ?Sized>(Ref<RefCell<T>>);

    impl<T> Shared<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Ref::new(RefCell::new(value)))
        }
    }

    impl<T: ?Sized> Shared<T> {
        pub(crate) fn lock(&self) -> RefMut<'_, T> {
            self.0.borrow_mut()
        }
    }

    impl<T: ?Sized> Clone for Shared<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod locked {
    pub(crate) use std::sync::{Arc as Ref, Weak as WeakRef};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    pub(crate) struct Shared<T: ?Sized>(Ref<Mutex<T>>);

    impl<T> Shared<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Ref::new(Mutex::new(value)))
        }
    }

    impl<T: ?Sized> Shared<T> {
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl<T: ?Sized> Clone for Shared<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }
}

impl<T> core::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(core::any::type_name::<T>())
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) type OnReply = dyn FnOnce(Result<super::Message, crate::Error>);
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type OnReply = dyn FnOnce(Result<super::Message, crate::Error>) + Send;
