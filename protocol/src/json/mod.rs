//! JSON as text: validate it, walk over it, quote and unquote strings, and never build a tree.
//!
//! Message bodies pass through a node as the text their author wrote, so numbers keep every
//! digit and nothing is parsed twice. All functions are total: any input gives a value or a
//! [`JsonError`], in time linear in its length and without recursion.
//!
//! | File | Holds |
//! |---|---|
//! | `scan` | the strict RFC 8259 scanner, [`validate`], [`Elements`], [`Members`] |
//! | `quote` | [`quote_into`] and [`unquote`] |

mod quote;
mod scan;

pub use quote::{quote, quote_into, unquote};
pub use scan::{Elements, JsonError, MAX_DEPTH, Members, validate};

/// True when `raw`, a JSON value without surrounding white space, is the literal `null`.
#[must_use]
pub fn is_null(raw: &str) -> bool {
    raw == "null"
}
