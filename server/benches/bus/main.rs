//! The bus alone, by the clock: `cargo bench -p trolleybus --bench bus`, or one part of it with
//! `-- registrations` or `-- cores`.
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

mod cores;
mod registrations;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use trolleybus::Message;
use trolleybus::bus::{Delivery, Handler};

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A handler that counts.
#[derive(Default)]
struct Counting(AtomicU64);

impl Handler for Counting {
    fn deliver(&self, _: &Message) -> Delivery {
        self.0.fetch_add(1, Relaxed);
        Delivery::Taken
    }
}

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let parts = [("registrations", registrations::measure as fn()), ("cores", cores::measure)];
    let unknown = wanted.iter().find(|wanted| !parts.iter().any(|(name, _)| name == wanted));
    assert_eq!(unknown, None, "there is no such part");
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measure();
        }
    }
}
