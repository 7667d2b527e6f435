//! The tab's name, and the headers by which an answer tells whose word it answers and who served.

use std::fmt;

/// The header that a word travels with and that its answer brings back: `K47-12`.
pub(crate) const WORD: &str = "word";
/// The header that a tab adds when it serves: its name.
pub(crate) const SERVED_BY: &str = "served-by";

/// A tab's name, such as `K47`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tab(String);

impl Tab {
    /// Draws a name with `random`, a number from 0 up to but not 1.
    pub(crate) fn draw(random: f64) -> Self {
        const LETTERS: &[u8] = b"ABCDEFGHKLMNPRSTUVWXYZ";
        let number = (random * LETTERS.len() as f64 * 90.0) as usize;
        let letter = LETTERS[number / 90 % LETTERS.len()] as char;
        Self(format!("{letter}{}", 10 + number % 90))
    }

    /// Reads the header [`SERVED_BY`]; what is not of a tab's form is no name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let fits = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(name.to_owned()))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Which word of which tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) tab: Tab,
    pub(crate) number: u32,
}

impl Word {
    /// Reads the header [`WORD`]; what anybody else put there is no word.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (tab, number) = header.split_once('-')?;
        Some(Self { tab: Tab::parse(tab)?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tab.0, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_letter_and_two_digits() {
        assert_eq!(Tab::draw(0.0).name(), "A10");
        assert_eq!(Tab::draw(0.999_999_9).name(), "Z99");
    }

    #[test]
    fn word_is_read_as_written() {
        let word = Word { tab: Tab::draw(0.5), number: 12 };
        assert_eq!(Word::parse(&word.to_string()), Some(word));
        assert_eq!(Word::parse("<script>-1"), None);
        assert_eq!(Word::parse("K47-x"), None);
    }
}
