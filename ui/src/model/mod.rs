//! What the page knows: plain data, changed by actions.
//!
//! | File | Holds |
//! |---|---|
//! | `choice` | what the visitor chose: the transport, and who serves |
//! | `clock` | points in time and how they are written |
//! | `command` | the command line that touches the page from a shell |
//! | `entry` | one line of a list: what was sent, what was received |
//! | `ledger` | the count of what became of what was sent |
//! | `link` | the connection's state |
//! | `page` | all of it together, and the actions |
//! | `tab` | the tab's name and the headers that carry it |

mod choice;
mod clock;
mod command;
mod entry;
mod ledger;
mod link;
mod page;
mod tab;

pub(crate) use choice::{ServedBy, TransportChoice};
pub(crate) use clock::{Moment, seconds_left};
pub(crate) use command::publish_command;
pub(crate) use entry::{Fate, How, Received, Sent, Way, shown};
pub(crate) use ledger::Ledger;
pub(crate) use link::Link;
pub(crate) use page::{Action, Heard, Page};
pub(crate) use tab::{SERVED_BY, Tab, WORD, Word};
