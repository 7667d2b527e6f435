//! What the admin room asks, answered by the rooms that know.

use std::sync::Arc;

use serde_json::Value;
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::{Body, Headers};

use super::readings;
use crate::admin::{
    AddressView, Addresses, Messages, Ports, Readings, RegistrationView, ReloadError, Samples,
    Settings, SocketView, Sockets,
};
use crate::app::Config;
use crate::bridge::Bridge;
use crate::bus::{Bus, Dispatch};
use crate::sockjs::SocketSender;

/// The rooms behind the ports.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) bus: Bus,
    pub(super) bridge: Bridge,
    pub(super) config: Config,
}

impl Operations {
    pub(super) fn ports(self) -> Ports {
        let this = Arc::new(self);
        Ports {
            sockets: this.clone(),
            addresses: this.clone(),
            messages: this.clone(),
            settings: this.clone(),
            readings: this,
        }
    }
}

fn view(socket: &SocketSender) -> SocketView {
    let (outbox_messages, outbox_bytes) = socket.queued();
    SocketView {
        id: socket.info().id(),
        transport: socket.info().transport().as_str(),
        remote_addr: socket.info().remote_addr().map(|addr| addr.to_string()),
        subject: None,
        age_ms: u64::try_from(socket.opened().elapsed().as_millis()).unwrap_or(u64::MAX),
        registrations: 0,
        outbox_messages,
        outbox_bytes,
    }
}

impl Sockets for Operations {
    fn page(&self, after: u64, limit: usize) -> Vec<SocketView> {
        self.bridge.sockjs().page(after, limit).iter().map(view).collect()
    }

    fn find(&self, id: u64) -> Option<SocketView> {
        self.bridge.sockjs().find(id).as_ref().map(view)
    }

    fn registrations(&self, _after: u64, _limit: usize) -> Vec<RegistrationView> {
        Vec::new()
    }

    fn kick(&self, id: u64) -> bool {
        let socket = self.bridge.sockjs().find(id);
        socket.map(|socket| socket.close(Close::KICKED.code, Close::KICKED.reason)).is_some()
    }

    fn kick_subject(&self, _subject: &str) -> usize {
        0
    }
}

impl Addresses for Operations {
    fn page(&self, prefix: &str, after: &str, limit: usize) -> Vec<AddressView> {
        let view = |line: crate::bus::AddressStats| AddressView {
            address: line.address.to_string(),
            is_pattern: false,
            registrations: line.registrations,
            messages: line.messages,
        };
        self.bus.addresses(prefix, after, limit).into_iter().map(view).collect()
    }
}

impl Messages for Operations {
    fn publish(&self, address: &str, body: Body) -> usize {
        self.bus.publish_message(dispatch(address, body))
    }

    fn send(&self, address: &str, body: Body) -> bool {
        self.bus.send_message(dispatch(address, body))
    }
}

fn dispatch(address: &str, body: Body) -> Dispatch {
    Dispatch { address: address.into(), body, headers: Headers::default() }
}

impl Settings for Operations {
    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn reload_rules(&self) -> Result<(), ReloadError> {
        Err(ReloadError::Nothing)
    }
}

impl Readings for Operations {
    fn read(&self, samples: &mut Samples) {
        readings::sockets(samples, &self.bridge.sockjs().stats());
        readings::bridge(samples, &self.bridge.stats());
        readings::bus(samples, &self.bus.stats());
    }
}
