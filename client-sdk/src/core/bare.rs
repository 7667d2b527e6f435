//! For an API that speaks the bridge by itself, as the stand-in for Vert.x's client does: it says
//! envelopes as they are, and takes those of the server apart itself.

use alloc::string::String;
use core::time::Duration;

use trolleybus_protocol::Error;

use super::connection::{Connection, Phase};
use super::outbox::Parcel;

impl Connection {
    /// From now on the application speaks the bridge by itself: what it registered is known to it
    /// alone, so the connection does not move to another transport while it stands.
    pub fn hand_over(&mut self) {
        self.hands_over = true;
    }

    /// Sends an envelope as it is. It is worth nothing on another connection than this one.
    ///
    /// # Errors
    /// As [`Connection::publish`].
    pub fn say(&mut self, envelope: String) -> Result<(), Error> {
        self.check_open()?;
        self.enqueue(Parcel::Reply(None), envelope)
    }

    /// Pings at once, and then as often as this; never for zero.
    pub fn ping_every(&mut self, now: u64, interval: Duration) {
        self.options.ping_interval = interval;
        if let Phase::Open(opened) = &mut self.phase {
            opened.ping_at = if interval.is_zero() { u64::MAX } else { now };
        }
        self.ping_when_due(now);
    }
}
