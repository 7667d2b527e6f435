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
    /// A pattern that is none.
    InvalidPattern,
    /// An overflow policy that is none, or that the server does not allow.
    OverflowNotAllowed,
    /// No rule permits it.
    AccessDenied,
    /// A rule asks for an authority and nobody is logged in.
    NotLoggedIn,
    /// The authority could not be looked up.
    AuthError,
    /// A hook of the application said no.
    Rejected,
    /// A token that is none, or not from an issuer that the server trusts.
    InvalidToken,
    /// A token that was good once.
    TokenExpired,
    /// Nothing is registered under the address. Only the TCP bridge says so.
    UnknownAddress,
    /// A frame on TCP whose length is negative or over the limit.
    InvalidFrameLength,
    /// A `timeout` that is no number of milliseconds above zero.
    InvalidTimeout,
    /// Too many registrations and pending requests on this socket.
    MaxHandlersReached,
    /// The bus could not register the address.
    RegistrationFailure,
    /// Faster than the limit.
    RateLimited,
    /// Too many registrations on one address, or of one user.
    TooManyRegistrations,
    /// A page of an origin that the server does not allow.
    OriginNotAllowed,
    /// A request body over HTTP that is neither JSON nor plain text.
    UnsupportedMediaType,
    /// A request body over HTTP that is longer than the limit.
    TooLarge,
    /// A request body over HTTP that did not come in time.
    TooSlow,
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
        /// All refusals, in the order of the enum.
        pub const REFUSALS: &[RefusalRow] = &[$(RefusalRow {
            refusal: Refusal::$refusal, code: $code, word: $word, retry: $retry, text: $text,
        }),*];

        // One match for each column: who asks for words only, as the client does, does not
        // carry the texts.
        impl Refusal {
            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$refusal => $word),* }
            }

            /// `failureCode` on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $(Self::$refusal => $code),* }
            }

            /// `message` on the wire.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$refusal => $text),* }
            }

            /// The refusal behind a word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$refusal),)* _ => None }
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
    InvalidPattern 108 "invalid_pattern" false "the address is no pattern: a wildcard must be a word of its own, and that for the rest the last"
    OverflowNotAllowed 109 "overflow_not_allowed" false "the server knows or allows no such overflow policy"
    AccessDenied 110 "access_denied" false "no rule permits this address and body"
    NotLoggedIn 111 "not_logged_in" false "the rule asks for an authority and nobody is logged in"
    AuthError 112 "auth_error" true "the authority could not be looked up"
    Rejected 113 "rejected" false "the application refused it"
    InvalidToken 114 "invalid_token" false "the token cannot be trusted"
    TokenExpired 115 "token_expired" false "the token has expired; get a new one"
    UnknownAddress 116 "unknown_address" false "nothing is registered under the address"
    InvalidFrameLength 117 "invalid_frame_length" false "the length of the frame is negative or over the limit"
    InvalidTimeout 118 "invalid_timeout" false "the timeout must be a number of milliseconds above zero"
    MaxHandlersReached 120 "max_handlers_reached" true "too many registrations and pending requests on this socket"
    RegistrationFailure 121 "registration_failure" true "the bus could not register the address"
    RateLimited 122 "rate_limited" true "messages arrive faster than the limit; wait and send again"
    TooManyRegistrations 123 "too_many_registrations" true "too many registrations on this address or of this user"
    OriginNotAllowed 130 "origin_not_allowed" false "the server does not allow pages of this origin"
    UnsupportedMediaType 131 "unsupported_media_type" false "the body must be application/json or text/plain"
    TooLarge 132 "too_large" false "the body is longer than the limit"
    TooSlow 133 "too_slow" true "the body did not come in time"
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
    pub const ALL: [Self; 4] =
        [Self::Timeout, Self::NoHandlers, Self::RecipientFailure, Self::Error];

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

/// Why the server closes a socket: the two parts of the frame `c[code,"reason"]`, or of a WebSocket
/// close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// 1000 to 4999.
    pub code: u16,
    /// At most 123 bytes, so that it fits a WebSocket close frame.
    pub reason: &'static str,
    /// Whether the client may connect again.
    pub retry: bool,
    /// When it happens.
    pub when: &'static str,
}

macro_rules! closes {
    ($($name:ident $code:literal $reason:literal $retry:literal $when:literal)*) => {
        impl Close {
            $(#[doc = concat!("Code ", $code, ": ", $when, ".")]
            pub const $name: Self =
                Self { code: $code, reason: $reason, retry: $retry, when: $when };)*
        }

        /// What a client has to know of each: code, reason, retry. Apart, because the texts of
        /// the others would go into the browser's download.
        const VERDICTS: &[(u16, &str, bool)] = &[$(($code, $reason, $retry)),*];

        /// All reasons for which the server closes a socket by itself.
        pub const CLOSES: &[Close] = &[$(Close::$name),*];
    };
}

closes! {
    NORMAL 1000 "Normal closure" false "the application closed the socket"
    INTERRUPTED 1002 "Connection interrupted" true "the receiving request was lost"
    NOT_TEXT 1007 "Text expected" false "a WebSocket text frame was no UTF-8"
    TOO_BIG 1009 "Message too big" false "a message was over the size limit"
    INTERNAL 1011 "Internal error" true "the service failed on this socket"
    DRAINING 1012 "Service restart" true "the server is shutting down; connect again"
    BUSY 2010 "Another connection still open" true "a session has one receiver at a time"
    BROKEN_FRAMING 3000 "Broken framing." false "a WebSocket frame was no array of strings"
    GO_AWAY 3000 "Go away!" true "no ping within the ping timeout"
    SLOW_CONSUMER 3001 "Slow consumer" true "the client reads more slowly than messages arrive"
    TOKEN_EXPIRED 3002 "Token expired" true "the client's token has expired; connect again with a new one"
    UNAUTHORIZED 3003 "Unauthorized" false "the server wants a token and got none, or a bad one"
    KICKED 3004 "Kicked" false "an operator closed the socket"
    RATE_LIMITED 3005 "Rate limit exceeded" true "the client sent far more than the limit; wait before connecting again"
    TOO_MANY_CONNECTIONS 3006 "Too many connections" true "too many sockets of this user or network address"
    REJECTED 3007 "Rejected" false "the application refused the socket"
}

impl Close {
    /// Whether a client that was closed with this code and reason may connect again. Codes of the
    /// application's own, which are not in the table, do not forbid it.
    #[must_use]
    pub fn may_retry(code: u16, reason: &str) -> bool {
        let of_code = || VERDICTS.iter().filter(|(known, ..)| *known == code);
        let exact = of_code().find(|(_, known, _)| *known == reason);
        exact.or_else(|| of_code().next_back()).is_none_or(|(.., retry)| *retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_are_unique_and_found_again() {
        for (index, row) in REFUSALS.iter().enumerate() {
            assert_eq!(Refusal::from_word(row.word), Some(row.refusal));
            let refusal = row.refusal;
            assert_eq!(
                (refusal.code(), refusal.word(), refusal.text()),
                (row.code, row.word, row.text)
            );
            assert!(REFUSALS[..index].iter().all(|other| other.code != row.code));
        }
        for failure in FailureType::ALL {
            assert_eq!(FailureType::from_word(failure.word()), Some(failure));
        }
        assert_eq!(Refusal::from_word("nonsense"), None);
    }

    #[test]
    fn closes_say_whether_to_come_back() {
        assert!(Close::may_retry(3000, "Go away!") && !Close::may_retry(3000, "Broken framing."));
        assert!(Close::may_retry(3000, "of an application") && Close::may_retry(4711, ""));
        assert!(!Close::may_retry(1009, ""));
        assert!(CLOSES.iter().all(|close| close.reason.len() <= 123));
    }

    #[test]
    fn readme_carries_these_tables() {
        let readme = include_str!("../README.md");
        for row in REFUSALS {
            let retry = if row.retry { "yes" } else { "no" };
            let line = format!("| {} | `{}` | {retry} | {} |", row.code, row.word, row.text);
            assert!(readme.contains(&line), "missing in protocol/README.md:\n{line}");
        }
        for close in CLOSES {
            let retry = if close.retry { "yes" } else { "no" };
            let line = format!("| {} | {} | {retry} | {} |", close.code, close.reason, close.when);
            assert!(readme.contains(&line), "missing in protocol/README.md:\n{line}");
        }
    }
}
