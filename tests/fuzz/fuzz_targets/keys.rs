#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| trolleybus_fuzz::run("keys", data));

#[cfg(not(fuzzing))]
fn main() {}
