//! One line of a list: what was sent, and what was received.

use trolleybus_protocol::Body;

use super::{
    clock::{Moment, milliseconds},
    tab::{Tab, Word},
};

/// How a word was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Published; the answer is published, too.
    Publish,
    /// Sent as a request to the uppercase service.
    Request,
    /// Sent as a request to `echo`.
    Echo,
}

impl How {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Publish => "published",
            Self::Request | Self::Echo => "requested",
        }
    }
}

/// What became of something sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    Pending,
    /// Answered, so many milliseconds later.
    Answered {
        after: f64,
    },
    Failed {
        reason: String,
    },
}

/// A line of the list of what was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) number: u32,
    pub(crate) how: How,
    pub(crate) address: &'static str,
    pub(crate) body: Body,
    pub(crate) at: Moment,
    pub(crate) fate: Fate,
    /// The answers so far, to tell a second one from the same server.
    pub(crate) answers: Vec<(Way, Option<Tab>)>,
}

impl Sent {
    pub(crate) fn is_pending(&self) -> bool {
        self.fate == Fate::Pending
    }

    /// What became of it, for people.
    pub(crate) fn outcome(&self) -> String {
        match &self.fate {
            Fate::Pending => "waiting for the answer".to_owned(),
            Fate::Answered { after } => format!("answered in {}", milliseconds(*after)),
            Fate::Failed { reason } => reason.clone(),
        }
    }
}

/// How something was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Published on an address that the page consumes.
    Published,
    /// The reply to a request of this page.
    Replied,
    /// No message, but the news that something failed.
    Failed,
}

impl Way {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Replied => "replied",
            Self::Failed => "failed",
        }
    }
}

/// A line of the list of what was received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    /// Counts up; the list's key.
    pub(crate) number: u32,
    pub(crate) way: Way,
    pub(crate) address: String,
    pub(crate) body: Body,
    pub(crate) at: Moment,
    /// Milliseconds since the word was sent, where this page sent it.
    pub(crate) after: Option<f64>,
    /// The word that it answers, where it says so.
    pub(crate) word: Option<Word>,
    /// The tab that served it, where one did.
    pub(crate) served_by: Option<Tab>,
}

impl Received {
    /// Where it came from, for people; nothing when that is not known.
    pub(crate) fn origin(&self, this: &Tab) -> Option<String> {
        let server = match (&self.served_by, &self.word) {
            (Some(tab), _) if tab == this => "served by this tab".to_owned(),
            (Some(tab), _) => format!("served by tab {}", tab.name()),
            (None, Some(_)) => "served by the server".to_owned(),
            (None, None) => return None,
        };
        match &self.word {
            Some(word) if word.tab == *this => Some(server),
            Some(word) if self.served_by.as_ref() == Some(&word.tab) => {
                Some(format!("{server} for itself"))
            }
            Some(word) => Some(format!("{server} for tab {}", word.tab.name())),
            None => Some(server),
        }
    }

    /// How long it took, for people.
    pub(crate) fn round_trip(&self) -> Option<String> {
        self.after.map(milliseconds)
    }
}

/// A body as a line shows it: a text without its quotes, anything else as JSON.
pub(crate) fn shown(body: &Body) -> String {
    match body.as_text() {
        Some(text) => text.into_owned(),
        None => body.as_json().to_owned(),
    }
}
