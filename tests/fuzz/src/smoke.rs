//! Every target over its corpus and over seeded mutations of it, without a fuzzer.
//!
//! `FUZZ_RUNS` says how many mutations each target gets: 2,000 unless told.

use std::fs;
use std::path::Path;

use crate::TARGETS;
use crate::mutate::Mutator;

fn files(folder: &str, name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn every_target_holds_on_its_corpus_and_on_mutations_of_it() {
    let runs = std::env::var("FUZZ_RUNS").map_or(2_000, |runs| runs.parse().unwrap());
    for (index, (name, target)) in TARGETS.iter().enumerate() {
        let corpus = files("corpus", name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        corpus.iter().chain(&files("regressions", name)).for_each(|input| target(input));
        let mut mutator = Mutator::new(0x9e37_79b9_7f4a_7c15 ^ index as u64);
        for _ in 0..runs {
            let input = mutator.mutated(&corpus);
            // A panic names the input, which then belongs into `regressions`.
            let shown = Shown(name, &input);
            target(&input);
            std::mem::forget(shown);
        }
    }
}

/// Says on its way out of a panic what caused it.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        eprintln!("target {}, input {:?}", self.0, String::from_utf8_lossy(self.1));
        eprintln!("bytes: {:?}", self.1);
    }
}
