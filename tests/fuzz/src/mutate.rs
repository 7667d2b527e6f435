//! Seeded mutation, for machines without a fuzzer: weaker than coverage, the same on every machine.

/// Makes new inputs out of a corpus.
#[derive(Debug)]
pub(crate) struct Mutator {
    state: u64,
}

/// What is likely to matter to a parser.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"\\u",
    b"d800",
    b"-",
    b"1e9",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xf0\x9f",
    b"$",
    b"${sub}",
    b"#",
    b"*",
    b"/",
    b".",
    b"\"replyAddress\":\"r\"",
];

impl Mutator {
    /// The same seed makes the same inputs.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1 }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One input, made of one or two of the corpus.
    pub(crate) fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match corpus.len() {
            0 => Vec::new(),
            count => corpus[self.below(count)].clone(),
        };
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
        }
        input.truncate(4096);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(6) {
            0 => input.insert(at, self.next() as u8),
            1 => drop(input.splice(at..at, PIECES[self.below(PIECES.len())].iter().copied())),
            2 if at < input.len() => input[at] = self.next() as u8,
            3 if at < input.len() => {
                let end = at + 1 + self.below(input.len() - at);
                drop(input.drain(at..end));
            }
            4 if !corpus.is_empty() => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ if at < input.len() => {
                let piece = input[at..input.len().min(at + 8)].to_vec();
                drop(input.splice(at..at, piece));
            }
            _ => input.push(self.next() as u8),
        }
    }
}
