//! Patterns: addresses with wildcards, for whoever asks for them. An address by itself is never
//! read as one.

mod matching;

use alloc::vec::Vec;
use core::fmt;

use crate::Address;

/// An address with wildcards.
///
/// A pattern that holds `/` is made of levels, as in MQTT: `+` stands for one level, `#` as the
/// last for any number of them, none included. Any other pattern is made of words between dots,
/// as in NATS and AMQP: `*` stands for one word, `>` as the last for one or more, `#` anywhere for
/// any number. A wildcard stands alone in its word; `+` alone is of levels, `#` alone
/// matches everything. A pattern that goes on behind a `#` means no address of more than
/// [`Pattern::MAX_WORDS`] words.
///
/// ```
/// # use trolleybus_protocol::Pattern;
/// let sport = Pattern::parse("news.*.sport")?;
/// assert!(sport.matches("news.europe.sport") && !sport.matches("news.sport"));
/// assert!(Pattern::parse("news/#")?.matches("news"));
/// assert!(!Pattern::parse("news.>")?.matches("news"));
/// assert!(Pattern::parse("news*").is_err());
/// # Ok::<(), trolleybus_protocol::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    text: Address,
    style: Style,
}

/// What separates the words of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// Words between dots.
    Words,
    /// Levels between slashes.
    Levels,
}

/// One word or level of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word<'a> {
    /// Just this word.
    Exact(&'a str),
    /// Any one word.
    One,
    /// One word or more, up to the end.
    OneOrMore,
    /// Any number of words.
    Any,
}

/// Why text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// A wildcard shares its word with other characters.
    NotAlone,
    /// `>`, or `#` between slashes, is not the last word.
    NotLast,
    /// More than [`Pattern::MAX_WORDS`] words.
    TooLong,
}

impl PatternError {
    /// The text for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotAlone => "a wildcard must be a word of its own",
            Self::NotLast => "the wildcard for the rest must come last",
            Self::TooLong => "a pattern has at most 64 words",
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for PatternError {}

impl Style {
    /// The character between two words.
    #[must_use]
    pub const fn separator(self) -> char {
        match self {
            Self::Words => '.',
            Self::Levels => '/',
        }
    }

    fn of(text: &str) -> Self {
        if text.contains('/') || text == "+" { Self::Levels } else { Self::Words }
    }

    fn word(self, text: &str) -> Result<Word<'_>, PatternError> {
        let wildcards: &[char] = match self {
            Self::Words => &['*', '>', '#'],
            Self::Levels => &['+', '#'],
        };
        match (self, text) {
            (_, "#") => Ok(Word::Any),
            (Self::Words, "*") | (Self::Levels, "+") => Ok(Word::One),
            (Self::Words, ">") => Ok(Word::OneOrMore),
            _ if text.contains(wildcards) => Err(PatternError::NotAlone),
            _ => Ok(Word::Exact(text)),
        }
    }
}

impl Pattern {
    /// Most words that a pattern may have, and an address that is meant by one that goes on behind a
    /// `#`: such a pattern may have to try each of its words with each of the address.
    pub const MAX_WORDS: usize = 64;

    /// Reads a pattern.
    ///
    /// # Errors
    /// When a wildcard stands where it must not, or there are too many words.
    pub fn parse(text: impl Into<Address>) -> Result<Self, PatternError> {
        let text = text.into();
        let style = Style::of(text.as_str());
        let mut words = text.as_str().split(style.separator()).enumerate().peekable();
        while let Some((index, word)) = words.next() {
            if index >= Self::MAX_WORDS {
                return Err(PatternError::TooLong);
            }
            let is_last = words.peek().is_none();
            match (style, style.word(word)?) {
                (_, Word::OneOrMore) | (Style::Levels, Word::Any) if !is_last => {
                    return Err(PatternError::NotLast);
                }
                _ => {}
            }
        }
        Ok(Self { text, style })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The pattern as it was written, as an address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.text
    }

    /// The same pattern in memory of its own, see [`Address::detached`].
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { text: self.text.detached(), style: self.style }
    }

    /// What separates its words.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Its words.
    pub fn words(&self) -> impl Iterator<Item = Word<'_>> {
        let words = self.as_str().split(self.style.separator());
        words.map(|word| self.style.word(word).unwrap_or(Word::Exact(word)))
    }

    /// Whether an address is one that the pattern means.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        let words: Vec<_> = self.words().collect();
        let address = address.split(self.style.separator());
        let goes_on = words[..words.len() - 1].iter().any(|word| matches!(word, Word::Any));
        if goes_on && address.clone().nth(Self::MAX_WORDS).is_some() {
            return false;
        }
        matching::matches(&words, address)
    }

    /// Whether some address is meant by both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (words, others): (Vec<_>, Vec<_>) = (self.words().collect(), other.words().collect());
        if self.style == other.style || words == [Word::Any] || others == [Word::Any] {
            return matching::overlap(&words, &others);
        }
        // Of different separators: an address may hold both. Only exact text settles it.
        match (self.exact(), other.exact()) {
            (Some(text), _) => other.matches(text),
            (_, Some(text)) => self.matches(text),
            _ => true,
        }
    }

    /// Its text, when it holds no wildcard.
    fn exact(&self) -> Option<&str> {
        self.words().all(|word| matches!(word, Word::Exact(_))).then(|| self.as_str())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn words_match_as_in_nats_and_amqp() {
        for (text, matching, other) in [
            (
                "news.*.sport",
                &["news.eu.sport", "news..sport"][..],
                &["news.sport", "news.a.b.sport"][..],
            ),
            ("news.>", &["news.a", "news.a.b"], &["news", "mews.a"]),
            ("news.#", &["news", "news.a", "news.a.b"], &["new", "x.news"]),
            ("#.sport", &["sport", "a.sport", "a.b.sport"], &["sport.a", "a"]),
            ("a.#.b.#.c", &["a.b.c", "a.x.b.y.z.c", "a.b.b.c"], &["a.c", "a.b"]),
            ("#", &["", "a", "a/b.c"], &[]),
            ("*", &["a", "", "a/b"], &["a.b"]),
            ("a+b", &["a+b"], &["a"]),
            ("exact", &["exact"], &["exact.more"]),
        ] {
            let pattern = pattern(text);
            assert!(matching.iter().all(|address| pattern.matches(address)), "{text}");
            assert!(other.iter().all(|address| !pattern.matches(address)), "{text}");
        }
    }

    #[test]
    fn levels_match_as_in_mqtt() {
        for (text, matching, other) in [
            (
                "news/+/sport",
                &["news/eu/sport", "news//sport"][..],
                &["news/sport", "news/a/b/sport"][..],
            ),
            ("news/#", &["news", "news/a", "news/a/b"], &["mews/a"]),
            ("+", &["a", "a.b"], &["a/b"]),
            ("+/+", &["a/b", "/b"], &["a"]),
            ("a*/b>", &["a*/b>"], &["ax/b"]),
        ] {
            let pattern = pattern(text);
            assert!(matching.iter().all(|address| pattern.matches(address)), "{text}");
            assert!(other.iter().all(|address| !pattern.matches(address)), "{text}");
        }
    }

    #[test]
    fn wildcards_stand_alone_and_the_rest_comes_last() {
        for text in ["a*", "*.b>", "a.#b", "a/+b", "a/b#"] {
            assert_eq!(Pattern::parse(text), Err(PatternError::NotAlone), "{text}");
        }
        for text in [">.a", "#/a"] {
            assert_eq!(Pattern::parse(text), Err(PatternError::NotLast), "{text}");
        }
        let long = ["a"; 65].join(".");
        assert_eq!(Pattern::parse(&*long), Err(PatternError::TooLong));
    }

    #[test]
    fn patterns_overlap_when_an_address_is_meant_by_both() {
        for (left, right, overlap) in [
            ("a.*", "*.b", true),
            ("a.>", "a", false),
            ("a.#", "a", true),
            ("a.*", "a.b.c", false),
            ("#.x", "y.#", true),
            ("a.#.c", "a.b", false),
            ("a/+", "+/b", true),
            ("a/+", "b/#", false),
            ("a.b", "+/c", false),
            ("*", "a/+", true),
        ] {
            assert_eq!(pattern(left).overlaps(&pattern(right)), overlap, "{left} {right}");
            assert_eq!(pattern(right).overlaps(&pattern(left)), overlap, "{right} {left}");
        }
    }

    #[test]
    fn many_wildcards_take_no_more_than_the_product() {
        let pattern = pattern(&["#.a"; 32].join("."));
        let address = ["a"; 60_000].join(".");
        assert!(!pattern.matches(&format!("{address}.b")));
    }

    #[test]
    fn long_addresses_are_meant_by_patterns_that_need_not_look_at_all_words() {
        for (text, at_most) in [
            ("#", usize::MAX),
            (">", usize::MAX),
            ("a.#", usize::MAX),
            ("a.*.>", usize::MAX),
            ("#.a", Pattern::MAX_WORDS),
            ("a.#.*.#", Pattern::MAX_WORDS),
            ("a.#.>", Pattern::MAX_WORDS),
        ] {
            for count in [2, 3, 64, 65, 1000] {
                let address = vec!["a"; count].join(".");
                let expected = count <= at_most && (count > 2 || text != "a.*.>");
                assert_eq!(pattern(text).matches(&address), expected, "{text} {count}");
            }
        }
    }
}
