//! Bytes that wait for the client, bounded.

use std::io;

use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use trolleybus_protocol::tcp::push_frame;

/// Room that an empty outbox keeps.
const KEPT: usize = 16 * 1024;

/// Frames for one client, in order, as bytes. What waits here is bounded; as much again may be on
/// its way into the network.
#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Open,
    /// Takes no more; what is there is still to be written.
    Finished,
    /// The client reads too slowly.
    Overflown,
}

/// The client does not get this frame: the connection ends, or has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

/// How the writing ended.
#[derive(Debug)]
pub(super) enum Written {
    /// All that was in the outbox when it was finished.
    Finished,
    /// The client did not read as fast as messages came.
    Overflown,
    /// The connection failed.
    Failed(io::Error),
}

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), changed: Notify::new() }
    }

    /// Adds a frame. One that finds the outbox empty always has room.
    pub(super) fn push(&self, text: &str) -> Result<(), Closed> {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return Err(Closed);
        }
        if !state.bytes.is_empty() && state.bytes.len() + text.len() > self.limit {
            state.phase = Phase::Overflown;
            state.bytes = Vec::new();
        } else {
            push_frame(&mut state.bytes, text);
        }
        let phase = state.phase;
        drop(state);
        self.changed.notify_one();
        if phase == Phase::Open { Ok(()) } else { Err(Closed) }
    }

    /// Takes no more frames.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Finished;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The client does not keep up, as somebody knows who has more for it.
    pub(super) fn overflow(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Overflown;
            state.bytes = Vec::new();
        }
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    /// Writes what comes, until the outbox is finished or overflows.
    pub(super) async fn write_to(&self, mut writer: impl AsyncWrite + Unpin) -> Written {
        let mut bytes = Vec::new();
        loop {
            let phase = self.swap(&mut bytes);
            if phase == Phase::Overflown {
                return Written::Overflown;
            }
            if bytes.is_empty() {
                if phase == Phase::Finished {
                    return writer
                        .shutdown()
                        .await
                        .map_or_else(Written::Failed, |()| Written::Finished);
                }
                self.changed.notified().await;
                continue;
            }
            let overflow = async {
                while !self.is_overflown() {
                    self.changed.notified().await;
                }
            };
            tokio::select! {
                written = writer.write_all(&bytes) => {
                    if let Err(error) = written {
                        return Written::Failed(error);
                    }
                }
                () = overflow => return Written::Overflown,
            }
            bytes.clear();
            bytes.shrink_to(KEPT);
        }
    }

    /// Exchanges what waits for an empty buffer.
    fn swap(&self, bytes: &mut Vec<u8>) -> Phase {
        let mut state = self.state.lock();
        std::mem::swap(&mut state.bytes, bytes);
        state.phase
    }

    fn is_overflown(&self) -> bool {
        self.state.lock().phase == Phase::Overflown
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn frames_are_written_in_order_and_then_the_stream_ends() {
        let (near, mut far) = tokio::io::duplex(8);
        let outbox = Outbox::new(100);
        assert_eq!(outbox.push("one"), Ok(()));
        assert_eq!(outbox.push("two"), Ok(()));
        outbox.finish();
        assert_eq!(outbox.push("three"), Err(Closed));
        let mut seen = Vec::new();
        let (written, read) = tokio::join!(outbox.write_to(near), far.read_to_end(&mut seen));
        assert!(matches!(written, Written::Finished) && read.is_ok());
        assert_eq!(seen, b"\0\0\0\x03one\0\0\0\x03two");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_overflows_the_outbox() {
        let (near, _far) = tokio::io::duplex(8);
        let outbox = Outbox::new(100);
        let flood = async {
            while outbox.push("twenty bytes of text").is_ok() {
                tokio::task::yield_now().await;
            }
        };
        let (written, ()) = tokio::join!(outbox.write_to(near), flood);
        assert!(matches!(written, Written::Overflown));
        assert_eq!(outbox.phase(), Phase::Overflown);
    }

    #[test]
    fn one_frame_over_the_limit_has_room_in_an_empty_outbox() {
        let outbox = Outbox::new(2);
        assert_eq!(outbox.push("long"), Ok(()));
        assert_eq!(outbox.push("x"), Err(Closed));
    }
}
