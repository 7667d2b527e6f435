//! JSON as text: validate it, walk over it, quote and unquote strings, and never build a tree.
//!
//! Message bodies pass through a node as the text their author wrote, so numbers keep every
//! digit and nothing is parsed twice. All functions are total: any input gives a value or a
//! [`JsonError`], in time linear in its length and without recursion.
//!
//! | File | Holds |
//! |---|---|
//! | `scan` | the strict RFC 8259 scanner, [`validate`] |
//! | `walk` | [`Elements`] and [`Members`] of one array or object |
//! | `quote` | [`quote_into`], the same for texts full of escapes, and [`unquote`] |
//! | `integer` | [`push_integer`] |

use core::slice::SliceIndex;

mod integer;
mod quote;
mod scan;
#[cfg(test)]
mod tests;
mod walk;

pub use integer::push_integer;
pub(crate) use quote::{escape_json_into, is_unremarkable, quote_json_into};
pub use quote::{quote, quote_into, unquote};
pub use scan::{JsonError, MAX_DEPTH, validate};
pub(crate) use walk::Field;
pub use walk::{Elements, Members};

/// True when `raw`, a JSON value without surrounding white space, is the literal `null`.
#[must_use]
pub fn is_null(raw: &str) -> bool {
    raw == "null"
}

/// The part of `text` in a range that the caller knows to lie within it. Out of it, which cannot
/// be, it is empty: the panic of an index would bring its message into the browser's download.
#[inline]
pub(crate) fn part(text: &str, range: impl SliceIndex<str, Output = str>) -> &str {
    text.get(range).unwrap_or_default()
}
