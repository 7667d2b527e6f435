//! What becomes of messages for a subscription whose client does not keep up.

/// What the server does when messages for a subscription arrive faster than the client takes
/// them. Chosen by the client for each registration, within what the server allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// Close the socket as a slow consumer, so that the client knows.
    #[default]
    Close,
    /// Drop the oldest messages of this subscription; the next one says how many.
    DropOldest,
    /// Keep only the latest message of each address; the next one says how many it replaces.
    Latest,
}

impl Overflow {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Close, Self::DropOldest, Self::Latest];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::DropOldest => "drop_oldest",
            Self::Latest => "latest",
        }
    }

    /// The policy behind a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|overflow| overflow.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_again() {
        for overflow in Overflow::ALL {
            assert_eq!(Overflow::from_word(overflow.word()), Some(overflow));
        }
        assert_eq!(Overflow::from_word("Close"), None);
    }
}
