//! The npm package `trolleybus`: what `js/` calls. Plain strings and numbers cross the
//! border, because every type that crosses costs the download; the JavaScript side makes objects
//! of them. It reads what the server sends, too, so that no JSON is read here.
//!
//! The package brings its own small allocator. Its lock costs nothing without threads, and with
//! them it stays sound. It does without the standard library, because a panic handler of our own,
//! which says nothing, keeps the code for panic messages out of the download; the one of the
//! standard library has nowhere to say them either.
//!
//! | File | Holds |
//! |---|---|
//! | `bus` | `Bus`, the one class |
//! | `settings` | options from an array of numbers |
//! | `convert` | messages, errors and states as arrays |
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

use lol_alloc::{FreeListAllocator, LockedAllocator};

mod bus;
mod convert;
mod settings;

#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> =
    LockedAllocator::new(FreeListAllocator::new());

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
