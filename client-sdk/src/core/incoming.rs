//! Frames and envelopes from the server.

use alloc::string::String;
use alloc::vec::Vec;
use trolleybus_protocol::envelope::ServerEnvelope;
use trolleybus_protocol::sockjs::{Frame, HEARTBEAT};
use trolleybus_protocol::{Address, ByteString, Error, ErrorKind};

use super::connection::{Connection, Phase};
use super::output::{Delivery, Event, Link, Origin};

impl Connection {
    /// A frame arrived. Empty ones, as between the lines of a stream, are passed over.
    pub fn handle_frame(&mut self, now: u64, link: Link, text: &str) {
        if text.is_empty() || link != self.link {
            return;
        }
        if let Phase::Open(opened) = &mut self.phase {
            opened.heard_at = now;
            opened.received = true;
        }
        match Frame::parse(text) {
            Ok(Frame::Open) => self.open(now),
            Ok(Frame::Heartbeat) => self.heartbeats_known |= text == HEARTBEAT,
            Ok(Frame::Messages(envelopes)) => self.receive(link, envelopes),
            Ok(Frame::Close { code, reason }) => self.lose_by_server(now, code, &reason),
            Err(_) => self.handle_failed(now, link),
        }
        self.ping_when_due(now);
    }

    fn receive(&mut self, link: Link, envelopes: Vec<String>) {
        if !matches!(self.phase, Phase::Open(_)) {
            return;
        }
        for text in envelopes {
            let text = ByteString::from(text);
            match ServerEnvelope::parse(&text) {
                Ok(ServerEnvelope::Rec { address, body, headers, reply_address, .. }) => {
                    self.deliver(Delivery {
                        address,
                        body,
                        headers,
                        reply_address,
                        origin: Origin::Link(link),
                    });
                }
                Ok(ServerEnvelope::Err { address, error }) => {
                    let address = address.as_ref().map(Address::as_str);
                    self.receive_error(address.unwrap_or_default(), error);
                }
                Ok(ServerEnvelope::Unknown) | Err(_) => {
                    self.events.push_back(Event::Unhandled(text));
                }
            }
        }
    }

    /// To the request that it answers, else to the consumers of its address. What nobody waits for
    /// any more is let go, but its sender is told.
    fn deliver(&mut self, message: Delivery) {
        let address = message.address.as_str();
        if let Some(request) = self.requests.take(address) {
            let result = Ok(message);
            self.events.push_back(Event::Reply { request, result });
            return;
        }
        let consumers = self.registry.on_bus(address);
        if !consumers.is_empty() {
            self.events.push_back(Event::Message { consumers, message });
        } else if let Some(reply_address) = &message.reply_address {
            let text = "Discarded the request: nobody consumes the address any more";
            // A full outbox leaves the sender to its own timeout.
            let _ = self.refuse(message.origin, reply_address, -1, text);
        }
    }

    /// To the request that it ends; one that nobody waits for any more is ignored.
    fn receive_error(&mut self, address: &str, error: Error) {
        if let Some(request) = self.requests.take(address) {
            let result = Err(error);
            self.events.push_back(Event::Reply { request, result });
        } else if !self.requests.is_ours(address) {
            self.events.push_back(Event::Error(error));
        }
    }

    pub(super) fn closed() -> Error {
        Error::new(ErrorKind::Closed, "the client is closed")
    }
}
