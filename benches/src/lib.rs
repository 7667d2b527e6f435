//! The steps of the hot path, each by itself, for the clock and for the counter of instructions.
//!
//! | File | Holds |
//! |---|---|
//! | `wire` | steps of the protocol: frames, envelopes, quoting |
//! | `bus` | steps of the server: rules, patterns, dispatch |
//! | `benches/hot_path.rs` | how long they take: `cargo bench -p trolleybus-benches` |
//! | `src/main.rs` | runs a step so many times: `cargo xtask instructions` counts what that takes |
//! | `instructions.txt` | what it took when it was last recorded |

mod bus;
mod wire;

/// A step, ready to be run over and over.
pub type Step = Box<dyn FnMut()>;

/// Gets a step ready.
pub type Make = fn() -> Step;

/// The steps by name.
pub const STEPS: [(&str, Make); 15] = [
    ("frame decode, 100 bytes", wire::decode_frame),
    ("envelope parse, publish of 100 bytes", wire::parse_publish),
    ("envelope parse, request of 16 KB", wire::parse_large_request),
    ("rec encode, 100 bytes", wire::encode_rec),
    ("rec encode, 100 bytes and two headers", wire::encode_rec_with_headers),
    ("rec frame, 100 bytes", wire::encode_rec_frame),
    ("SockJS quoting, 100 bytes", wire::quote_small),
    ("SockJS quoting, 16 KB", wire::quote_large),
    ("permission check, the tenth of ten rules", bus::check_rules),
    ("permission check, a regular expression", bus::check_regex),
    ("permission check, by a field of the body", bus::check_body),
    ("pattern match", bus::match_pattern),
    ("dispatch to one handler", bus::dispatch_to_one),
    ("dispatch to one hundred handlers", bus::dispatch_to_hundred),
    ("dispatch among ten thousand patterns, one matches", bus::dispatch_among_patterns),
];
