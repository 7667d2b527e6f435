//! Runs one step so many times, for whoever counts instructions: `hot-path STEP TIMES`. Without
//! arguments it names the steps.
#![expect(clippy::print_stdout, reason = "it is a program for a shell")]

use std::process::ExitCode;

use trolleybus_benches::STEPS;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(wanted) = arguments.next() else {
        STEPS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let times: Option<u64> = arguments.next().and_then(|text| text.parse().ok());
    let step = STEPS.iter().find(|(name, _)| *name == wanted);
    let (Some(times), Some((_, make))) = (times, step) else {
        println!("usage: hot-path STEP TIMES");
        return ExitCode::from(2);
    };
    let mut step = make();
    (0..times).for_each(|_| step());
    ExitCode::SUCCESS
}
