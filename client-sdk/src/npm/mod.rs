//! What `js/index.js` calls. Plain strings and numbers cross the border, because every type that
//! crosses costs the download; the JavaScript side makes objects of them.
//!
//! | File | Holds |
//! |---|---|
//! | `bus` | `Bus`, the one class |
//! | `settings` | options from an array of numbers |
//! | `convert` | messages, errors and states as arrays |

mod bus;
mod convert;
mod settings;

