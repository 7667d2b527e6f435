//! What a receiver has heard of each sender, by the address that it came through.

use std::collections::HashMap;

use serde_json::Value;

/// A message, or a receipt, as SockJS and the TCP bridge have them.
pub(crate) fn is_message(envelope: &Value) -> bool {
    envelope["type"] == "rec" || envelope["type"] == "message"
}

/// Sequence numbers, per sender and address.
#[derive(Default)]
pub(crate) struct Ledger {
    last: HashMap<(String, u64), u64>,
    /// Messages that came, and those that the server said it dropped.
    pub(crate) accounted: u64,
    /// Where numbers may be missing: what was dropped, or said while nobody was registered.
    pub(crate) has_gaps: bool,
}

impl Ledger {
    /// Notes a delivered envelope, which must be the next of its sender.
    pub(crate) fn note(&mut self, envelope: &Value) {
        assert!(is_message(envelope), "{envelope}");
        let dropped = envelope["dropped"].as_u64().unwrap_or_default();
        self.accounted += 1 + dropped;
        self.has_gaps |= dropped > 0;
        let address = envelope["address"].as_str().unwrap().to_owned();
        let [from, number] =
            ["from", "number"].map(|name| envelope["body"][name].as_u64().unwrap());
        let last = self.last.entry((address, from)).or_default();
        assert!(number > *last, "{number} of {from} came after {last}");
        assert!(self.has_gaps || number == *last + 1, "{number} of {from} came after {last}");
        *last = number;
    }
}
