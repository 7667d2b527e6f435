//! Frames and envelopes from the server.

use alloc::string::String;
use alloc::vec::Vec;
use trolleybus_protocol::codes::{Close, Refusal};
use trolleybus_protocol::envelope::ServerEnvelope;
use trolleybus_protocol::sockjs::{Frame, HEARTBEAT};
use trolleybus_protocol::{Address, ByteString, Error, ErrorKind};

use super::connection::{Connection, Phase};
use super::output::{Delivery, Event, Link, Origin, RequestId};
use super::requests::Stage;

impl Connection {
    /// A frame arrived. Empty ones, as between the lines of a stream, are passed over.
    pub fn handle_frame(&mut self, now: u64, link: Link, text: &str) {
        if text.is_empty() {
            return;
        }
        match Frame::parse(text) {
            Ok(Frame::Open) => self.handle_open(now, link),
            Ok(Frame::Heartbeat) => self.handle_heard(now, link, text == HEARTBEAT),
            Ok(Frame::Messages(envelopes)) if link == self.link || self.is_old(link) => {
                self.hear(now);
                self.receive(now, link, envelopes);
                self.ping_when_due(now);
            }
            Ok(Frame::Close { code, reason }) => self.handle_server_close(now, link, code, &reason),
            _ => self.handle_failed(now, link),
        }
    }

    /// The frame `o` arrived.
    pub fn handle_open(&mut self, now: u64, link: Link) {
        if let Some(at) = self.contender(link) {
            self.open_contender(now, at);
        } else if link == self.link {
            self.lose(now, 1006, "the server lost the session");
        }
    }

    /// A frame arrived that says no more than that the server lives; `is_heartbeat` when it is `h`.
    /// For who takes messages apart by itself; [`Connection::handle_reply`] and
    /// [`Connection::handle_error`] take what is for the machine of them.
    pub fn handle_heard(&mut self, now: u64, link: Link, is_heartbeat: bool) {
        if link == self.link {
            self.hear(now);
            self.heartbeats_known |= is_heartbeat;
            self.ping_when_due(now);
        }
    }

    /// The frame `c` arrived.
    pub fn handle_server_close(&mut self, now: u64, link: Link, code: u16, reason: &str) {
        if let Some(at) = self.contender(link) {
            self.refuse_contender(now, at, code, reason);
        } else if link == self.link {
            self.lose_by_server(now, code, reason);
        } else {
            self.handle_failed(now, link);
        }
    }

    /// A message for this address arrived. Gives the request that it answers, which has ended by
    /// that; a receipt of the machine's own is dealt with.
    ///
    /// # Errors
    /// When nothing waits for it here; tells whether anything has ever.
    pub fn handle_reply(&mut self, address: &str) -> Result<Option<RequestId>, bool> {
        match self.requests.take(address) {
            Some((receipt, Stage::Registration)) => {
                self.acknowledge(receipt, Ok(()));
                Ok(None)
            }
            Some((request, _)) => Ok(Some(request)),
            None => Err(self.requests.is_ours(address)),
        }
    }

    /// An error arrived, with the reply address of a request, or without: empty. It goes to the
    /// request or registration that it ends; one that nobody waits for any more is ignored.
    pub fn handle_error(&mut self, now: u64, address: &str, error: Error) {
        let wants_renewal = self.wants_renewal(&error);
        if let Some((request, stage)) = self.requests.take(address) {
            self.settle(request, stage, Err(error));
        } else if !self.requests.is_ours(address) {
            self.events.push_back(Event::Error(error));
        }
        if wants_renewal {
            let Close { code, reason, .. } = Close::TOKEN_EXPIRED;
            self.renew(now, code, reason);
        }
    }

    fn hear(&mut self, now: u64) {
        if let Phase::Open(opened) = &mut self.phase {
            opened.heard_at = now;
            opened.answer_by = u64::MAX;
            opened.received = true;
        }
    }

    fn receive(&mut self, now: u64, link: Link, envelopes: Vec<String>) {
        for text in envelopes {
            // The one before may have ended the connection.
            if !matches!(self.phase, Phase::Open(_)) {
                return;
            }
            let text = ByteString::from(text);
            match ServerEnvelope::parse(&text) {
                Ok(ServerEnvelope::Rec {
                    address,
                    body,
                    headers,
                    reply_address,
                    pattern,
                    dropped,
                }) => {
                    let origin = Origin::Link(link);
                    let message = Delivery {
                        address,
                        body,
                        headers,
                        reply_address,
                        origin,
                        pattern,
                        dropped,
                    };
                    let is_answer = self.requests.is_ours(message.address.as_str());
                    let message =
                        if is_answer { Some(message) } else { self.in_turn(link, &text, message) };
                    message.into_iter().for_each(|message| self.deliver(message));
                }
                Ok(ServerEnvelope::Err { address, error }) => {
                    let address = address.as_ref().map(Address::as_str);
                    self.handle_error(now, address.unwrap_or_default(), error);
                }
                Ok(ServerEnvelope::Unknown) | Err(_) => {
                    self.events.push_back(Event::Unhandled(text));
                }
            }
        }
    }

    /// To the request that it answers, else to the consumers of its pattern, or of its address.
    /// What nobody waits for any more is let go, but its sender is told.
    pub(super) fn deliver(&mut self, message: Delivery) {
        if let Some((request, stage)) = self.requests.take(message.address.as_str()) {
            return self.settle(request, stage, Ok(message));
        }
        let key = message.pattern.as_ref().unwrap_or(&message.address);
        let row = self.registry.row(key.as_str(), message.pattern.is_some());
        let consumers = row.map(|row| row.bus_consumers()).unwrap_or_default();
        if !consumers.is_empty() {
            self.events.push_back(Event::Message { consumers, message });
        } else if let Some(reply_address) = &message.reply_address {
            let text = "Discarded the request: nobody consumes the address any more";
            // A full outbox leaves the sender to its own timeout.
            let _ = self.refuse(message.origin, reply_address, -1, text);
        }
    }

    /// Whether it says that the token is too old, and there may be another.
    fn wants_renewal(&self, error: &Error) -> bool {
        let is_expired = error.kind() == ErrorKind::Refused(Refusal::TokenExpired);
        is_expired && self.is_about_token(Close::TOKEN_EXPIRED.code)
    }

    pub(super) fn closed() -> Error {
        Error::new(ErrorKind::Closed, "the client is closed")
    }
}
