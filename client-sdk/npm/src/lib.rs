//! The npm package `trolleybus`: what `js/index.js` calls. Plain strings and numbers cross the
//! border, because every type that crosses costs the download; the JavaScript side makes objects
//! of them.
//!
//! The package brings its own small allocator. Its lock costs nothing without threads, and with
//! them it stays sound.
//!
//! | File | Holds |
//! |---|---|
//! | `bus` | `Bus`, the one class |
//! | `settings` | options from an array of numbers |
//! | `convert` | messages, errors and states as arrays |
#![cfg(target_arch = "wasm32")]

use lol_alloc::{FreeListAllocator, LockedAllocator};

mod bus;
mod convert;
mod settings;

#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> =
    LockedAllocator::new(FreeListAllocator::new());
