//! The one table of everything that a client can be told: why a message was refused, why a
//! request failed, why a socket was closed.
//!
//! `protocol/README.md` carries these tables; a test keeps the two equal.

/// Why the bridge refuses an envelope. The word is the `body` of the `err` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Not one JSON object.
    InvalidJson,
    /// No `type`.
    MissingType,
    /// No `address`.
    MissingAddress,
    /// A `type` that the bridge does not know.
    InvalidType,
    /// `headers` that cannot be headers.
    InvalidHeaders,
    /// A `replyAddress` over 36 UTF-16 units.
    InvalidReplyAddress,
    /// An address too long to register.
    MaxAddressLengthReached,
    /// The socket has registered that address already.
    AddressAlreadyRegistered,
    /// No rule permits it.
    AccessDenied,
    /// A rule asks for an authority and nobody is logged in.
    NotLoggedIn,
    /// The authority could not be looked up.
    AuthError,
    /// A hook of the application said no.
    Rejected,
    /// Too many registrations and pending requests on this socket.
    MaxHandlersReached,
    /// The bus could not register the address.
    RegistrationFailure,
}

/// One line of the table of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalRow {
    /// The refusal.
    pub refusal: Refusal,
    /// `failureCode` on the wire.
    pub code: i32,
    /// `body` on the wire.
    pub word: &'static str,
    /// Whether the same envelope may pass later without a change.
    pub retry: bool,
    /// `message` on the wire.
    pub text: &'static str,
}

macro_rules! refusals {
    ($($refusal:ident $code:literal $word:literal $retry:literal $text:literal)*) => {
        /// All refusals.
        pub const REFUSALS: &[RefusalRow] = &[$(RefusalRow {
            refusal: Refusal::$refusal, code: $code, word: $word, retry: $retry, text: $text,
        }),*];

        impl Refusal {
            /// The refusal's line in the table.
            #[must_use]
            pub const fn row(self) -> &'static RefusalRow {
                match self { $(Self::$refusal => {
                    const ROW: &RefusalRow = &RefusalRow {
                        refusal: Refusal::$refusal, code: $code, word: $word,
                        retry: $retry, text: $text,
                    };
                    ROW
                })* }
            }
        }
    };
}

refusals! {
    InvalidJson 100 "invalid_json" false "an envelope must be one JSON object"
    MissingType 101 "missing_type" false "the envelope has no type"
    MissingAddress 102 "missing_address" false "the envelope has no address"
    InvalidType 103 "invalid_type" false "the type must be send, publish, register, unregister or ping"
    InvalidHeaders 104 "invalid_headers" false "headers must be an object of strings without line breaks"
    InvalidReplyAddress 105 "invalid_reply_address" false "a reply address has at most 36 UTF-16 units"
    MaxAddressLengthReached 106 "max_address_length_reached" false "the address is too long to register"
    AddressAlreadyRegistered 107 "address_already_registered" false "this socket has registered the address already"
    AccessDenied 110 "access_denied" false "no rule permits this address and body"
    NotLoggedIn 111 "not_logged_in" false "the rule asks for an authority and nobody is logged in"
    AuthError 112 "auth_error" true "the authority could not be looked up"
    Rejected 113 "rejected" false "the application refused it"
    MaxHandlersReached 120 "max_handlers_reached" true "too many registrations and pending requests on this socket"
    RegistrationFailure 121 "registration_failure" true "the bus could not register the address"
}

impl Refusal {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.row().word
    }

    /// The refusal behind a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        REFUSALS
            .iter()
            .find(|row| row.word == word)
            .map(|row| row.refusal)
    }
}

/// Why a request got no answer. The word is the `failureType` of the `err` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureType {
    /// No reply in time, or the recipient went away with the request in its queue.
    Timeout,
    /// Nobody consumes the address.
    NoHandlers,
    /// The recipient failed the request, with its own code and message.
    RecipientFailure,
    /// Anything else; refusals carry this type, with a code of [`REFUSALS`].
    Error,
}

impl FailureType {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Timeout,
        Self::NoHandlers,
        Self::RecipientFailure,
        Self::Error,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::NoHandlers => "NO_HANDLERS",
            Self::RecipientFailure => "RECIPIENT_FAILURE",
            Self::Error => "ERROR",
        }
    }

    /// The type behind a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.word() == word)
    }
}

/// Why the server closes a socket: the two parts of the frame `c[code,"reason"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: u16,
    /// The reason.
    pub reason: &'static str,
    /// Whether the client may connect again.
    pub retry: bool,
    /// When it happens.
    pub when: &'static str,
}

/// The application was done.
pub const NORMAL: Close = close(
    1000,
    "Normal closure",
    false,
    "the application closed the socket",
);
/// Shut down of the server.
pub const DRAINING: Close = close(
    1012,
    "Service restart",
    true,
    "the server is shutting down; connect again",
);
/// Receiver lost.
pub const INTERRUPTED: Close = close(
    1002,
    "Connection interrupted",
    true,
    "the receiving request was lost",
);
/// Second receiver.
pub const STILL_OPEN: Close = close(
    2010,
    "Another connection still open",
    true,
    "a session has one receiver at a time",
);
/// Idle, as Vert.x says it.
pub const GO_AWAY: Close = close(3000, "Go away!", true, "no ping within the ping timeout");
/// Outbox over its bound.
pub const SLOW_CONSUMER: Close = close(
    3001,
    "Slow consumer",
    true,
    "the client reads more slowly than messages arrive",
);
/// Oversize.
pub const MESSAGE_TOO_LARGE: Close = close(
    3002,
    "Message too large",
    false,
    "a message is over the size limit",
);
/// Not SockJS.
pub const BROKEN_FRAMING: Close = close(
    3003,
    "Broken framing.",
    false,
    "a frame is not what SockJS prescribes",
);

const fn close(code: u16, reason: &'static str, retry: bool, when: &'static str) -> Close {
    Close {
        code,
        reason,
        retry,
        when,
    }
}

/// All reasons for which the server closes a socket by itself.
pub const CLOSES: &[Close] = &[
    NORMAL,
    INTERRUPTED,
    DRAINING,
    STILL_OPEN,
    GO_AWAY,
    SLOW_CONSUMER,
    MESSAGE_TOO_LARGE,
    BROKEN_FRAMING,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_are_unique_and_found_again() {
        for (index, row) in REFUSALS.iter().enumerate() {
            assert_eq!(Refusal::from_word(row.word), Some(row.refusal));
            assert_eq!(row.refusal.row(), row);
            assert!(REFUSALS[..index].iter().all(|other| other.code != row.code));
        }
        for failure in FailureType::ALL {
            assert_eq!(FailureType::from_word(failure.word()), Some(failure));
        }
        assert_eq!(Refusal::from_word("nonsense"), None);
    }

    #[test]
    fn readme_carries_these_tables() {
        let readme = include_str!("../README.md");
        for row in REFUSALS {
            let retry = if row.retry { "yes" } else { "no" };
            let line = format!("| {} | `{}` | {retry} | {} |", row.code, row.word, row.text);
            assert!(
                readme.contains(&line),
                "missing in protocol/README.md:\n{line}"
            );
        }
        for close in CLOSES {
            let retry = if close.retry { "yes" } else { "no" };
            let line = format!(
                "| {} | {} | {retry} | {} |",
                close.code, close.reason, close.when
            );
            assert!(
                readme.contains(&line),
                "missing in protocol/README.md:\n{line}"
            );
        }
    }
}
