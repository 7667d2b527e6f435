//! How long each step of the hot path takes: `cargo bench -p trolleybus-benches`.

use criterion::Criterion;
use trolleybus_benches::STEPS;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, make) in STEPS {
        criterion.bench_function(name, |bencher| bencher.iter(make()));
    }
    criterion.final_summary();
}
