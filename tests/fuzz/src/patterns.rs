//! Patterns against a naive reading of their rules.

use trolleybus_protocol::{Pattern, Word};

use crate::reader::Reader;

pub(crate) fn pattern(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let Some((pattern, address)) = text.split_once('\n') else { return };
    let Ok(pattern) = Pattern::parse(pattern) else { return };
    let words: Vec<Word<'_>> = pattern.words().collect();
    assert!(words.len() <= Pattern::MAX_WORDS);
    let address_words: Vec<&str> = address.split(pattern.style().separator()).collect();
    // The naive oracle takes exponential time.
    let wildcards = words.iter().filter(|word| matches!(word, Word::Any | Word::OneOrMore)).count();
    if wildcards <= 3 && address_words.len() <= 24 {
        let expected = naive(&words, &address_words);
        assert_eq!(pattern.matches(address), expected, "{pattern:?} {address:?}");
    } else {
        let _ = pattern.matches(address);
    }
    let other = Pattern::parse(address);
    if let Ok(other) = other {
        assert_eq!(pattern.overlaps(&other), other.overlaps(&pattern), "{pattern:?} {other:?}");
    }
    assert!(pattern.overlaps(&pattern), "{pattern:?} means nothing");
}

fn naive(words: &[Word<'_>], address: &[&str]) -> bool {
    match (words.split_first(), address.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Word::Any, rest)), _) => {
            naive(rest, address) || !address.is_empty() && naive(words, &address[1..])
        }
        (Some((Word::OneOrMore, rest)), Some((_, others))) => {
            naive(rest, others) || naive(words, others)
        }
        (Some((Word::One, rest)), Some((_, others))) => naive(rest, others),
        (Some((Word::Exact(word), rest)), Some((first, others))) => {
            word == first && naive(rest, others)
        }
        (Some(_), None) => false,
    }
}

/// Two small patterns and all small addresses: they overlap if and only if some address is meant
/// by both.
pub(crate) fn overlap(data: &[u8]) {
    let mut reader = Reader(data);
    let separator = reader.pick(&[".", "/"]);
    let mut some = || -> Option<Pattern> {
        let words: &[&str] =
            if separator == "." { &["a", "b", "*", "#", ">"] } else { &["a", "b", "+", "#"] };
        let length = 1 + reader.below(4);
        let text: Vec<&str> = (0..length).map(|_| reader.pick(words)).collect();
        Pattern::parse(text.join(separator)).ok()
    };
    let (Some(one), Some(other)) = (some(), some()) else { return };
    assert_eq!(one.overlaps(&other), other.overlaps(&one), "{one:?} {other:?}");
    if one.style() != other.style() {
        return;
    }
    // Words of at most four with one wildcard each: an address of nine words is long enough.
    let shared = addresses(separator).find(|text| one.matches(text) && other.matches(text));
    assert_eq!(shared.is_some(), one.overlaps(&other), "{one:?} {other:?} {shared:?}");
}

fn addresses(separator: &str) -> impl Iterator<Item = String> {
    (1..=8_u32).flat_map(move |length| {
        (0..2_u32.pow(length)).map(move |bits| {
            let word = |at: u32| if bits >> at & 1 == 0 { "a" } else { "b" };
            (0..length).map(word).collect::<Vec<_>>().join(separator)
        })
    })
}
