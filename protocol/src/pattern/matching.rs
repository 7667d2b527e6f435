//! Words against words.

use alloc::vec;
use alloc::vec::Vec;

use super::Word;

/// Does `pattern` mean the address of these words? Keeps the set of places in the pattern that
/// are reached; a place past `Any` also stays reached.
pub(super) fn matches<'a>(pattern: &[Word<'_>], address: impl Iterator<Item = &'a str>) -> bool {
    // Bit i: the first i words of the pattern have been used up. At most 64 words.
    let mut reached = spread(pattern, 1u128);
    for word in address {
        let mut next = 0u128;
        for (index, part) in pattern.iter().enumerate() {
            if reached >> index & 1 == 0 {
                continue;
            }
            match part {
                Word::Exact(exact) if *exact == word => next |= 2 << index,
                Word::Exact(_) => {}
                Word::One => next |= 2 << index,
                Word::Any => next |= 1 << index,
                // Used up with its first word, and takes all further ones.
                Word::OneOrMore => return true,
            }
        }
        reached = spread(pattern, next);
        if reached == 0 {
            return false;
        }
    }
    reached >> pattern.len() & 1 == 1
}

/// A place before `Any` reaches the place behind it, for `Any` may stand for nothing.
fn spread(pattern: &[Word<'_>], mut reached: u128) -> u128 {
    for (index, part) in pattern.iter().enumerate() {
        if *part == Word::Any && reached >> index & 1 == 1 {
            reached |= 2 << index;
        }
    }
    reached
}

/// Is there an address that both mean?
pub(super) fn overlap(left: &[Word<'_>], right: &[Word<'_>]) -> bool {
    let width = right.len() + 1;
    let mut seen = vec![false; (left.len() + 1) * width];
    let mut places = Vec::from([(0, 0)]);
    while let Some((i, j)) = places.pop() {
        if is_marked(&mut seen, i * width + j) {
            continue;
        }
        let steps = match (left.get(i), right.get(j)) {
            (None, None) => return true,
            (Some(Word::OneOrMore), Some(_)) | (Some(_), Some(Word::OneOrMore)) => return true,
            (Some(Word::Any), None) => [Some((i + 1, j)), None],
            (None, Some(Word::Any)) => [Some((i, j + 1)), None],
            (Some(Word::Any), Some(_)) | (Some(_), Some(Word::Any)) => {
                [Some((i + 1, j)), Some((i, j + 1))]
            }
            (Some(Word::Exact(a)), Some(Word::Exact(b))) if a != b => [None, None],
            (Some(_), Some(_)) => [Some((i + 1, j + 1)), None],
            (None, Some(_)) | (Some(_), None) => [None, None],
        };
        places.extend(steps.into_iter().flatten());
    }
    false
}

/// Whether a place was marked before; it is now.
fn is_marked(seen: &mut [bool], place: usize) -> bool {
    seen.get_mut(place).is_none_or(|seen| core::mem::replace(seen, true))
}
