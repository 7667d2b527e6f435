//! Numbers from a seed (SplitMix64). They spread delays and name sessions; a driver seeds them
//! from the platform's own source of randomness.

use alloc::string::String;
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, and not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float")]
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `length` letters and digits, at five bits each.
    pub(super) fn letters(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
        let mut out = String::with_capacity(length);
        while out.len() < length {
            let mut bits = self.next();
            for _ in 0..12.min(length - out.len()) {
                out.push(char::from(ALPHABET[(bits & 31) as usize]));
                bits >>= 5;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut one, mut same, mut other) = (Random::new(1), Random::new(1), Random::new(2));
        assert_eq!(one.letters(24), same.letters(24));
        assert_ne!(one.letters(24), other.letters(24));
        assert!((0..100).all(|_| (0.0..1.0).contains(&one.fraction())));
        assert_eq!(one.letters(13).len(), 13);
    }
}
