//! What the admin room asks, answered by the rooms that know.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use trolleybus_protocol::{Body, Headers};

use super::{LiveRules, readings, rules};
use crate::access::limits::Limits;
use crate::admin::{
    AddressView, Addresses, Messages, Ports, Readings, RegistrationView, ReloadError, Samples,
    Settings, SocketView, Sockets,
};
use crate::app::Config;
use crate::bridge::{self, Bridge};
use crate::bus::{Bus, Dispatch, Listed};
use crate::gateway::{HttpGateway, TcpGateway};

/// The rooms behind the ports.
pub(super) struct Operations {
    pub(super) bus: Bus,
    pub(super) bridge: Bridge,
    pub(super) config: Config,
    pub(super) rules: LiveRules,
    pub(super) limits: Limits,
    pub(super) tcp_gateway: TcpGateway,
    pub(super) http_gateway: Option<HttpGateway>,
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

fn view(socket: bridge::SocketView) -> SocketView {
    let age = SystemTime::now().duration_since(socket.opened).unwrap_or_default();
    SocketView {
        id: socket.id.get(),
        transport: socket.transport.as_str(),
        remote_addr: socket.remote_addr.map(|addr| addr.to_string()),
        subject: socket.subject,
        age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        registrations: socket.registrations,
        requests: socket.pending,
        requests_to_answer: socket.awaited,
        envelopes: socket.envelopes,
        outbox_messages: socket.queued_messages,
        outbox_bytes: socket.queued_bytes,
    }
}

impl Sockets for Operations {
    fn page(&self, after: u64, limit: usize) -> Vec<SocketView> {
        let sockets = self.bridge.sockets(Some(after.into()), limit);
        sockets.iter().map(|socket| view(socket.view())).collect()
    }

    fn find(&self, id: u64) -> Option<SocketView> {
        self.bridge.socket(id.into()).map(|socket| view(socket.view()))
    }

    fn registrations(&self, after: u64, limit: usize) -> Vec<RegistrationView> {
        let (mut after, mut found) = (after, Vec::new());
        while found.len() < limit {
            let sockets = self.bridge.sockets(Some(after.into()), limit);
            let Some(last) = sockets.last() else { break };
            after = last.id().get();
            for socket in sockets {
                let id = socket.id().get();
                found.extend(socket.registrations().into_iter().map(|held| RegistrationView {
                    socket: id,
                    address: held.address.to_string(),
                    is_pattern: held.is_pattern,
                }));
                if found.len() >= limit {
                    break;
                }
            }
        }
        found
    }

    fn kick(&self, id: u64) -> bool {
        self.bridge.kick(id.into())
    }

    fn kick_subject(&self, subject: &str) -> usize {
        self.bridge.kick_subject(subject)
    }
}

impl Addresses for Operations {
    fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<AddressView> {
        rows(self.bus.addresses_under(prefix, after, limit))
    }

    fn patterns(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<AddressView> {
        rows(self.bus.patterns_under(prefix, after, limit))
    }
}

fn rows(listed: Vec<Listed>) -> Vec<AddressView> {
    let row = |row: Listed| AddressView {
        address: row.address.to_string(),
        registrations: row.registrations,
        messages: row.messages,
    };
    listed.into_iter().map(row).collect()
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
    Dispatch::new(address.into(), body, Headers::default())
}

impl Settings for Operations {
    fn config(&self) -> Value {
        serde_json::to_value(self.rules.in_config(self.config.clone())).unwrap_or_default()
    }

    fn reload_rules(&self) -> Result<(), ReloadError> {
        self.rules.reload().map_err(|error| match error {
            rules::ReloadError::Nothing => ReloadError::Nothing,
            rules::ReloadError::Wrong(text) => ReloadError::Wrong(text),
        })
    }
}

impl Readings for Operations {
    fn read(&self, samples: &mut Samples) {
        readings::sockets(samples, &self.bridge.sockjs().stats());
        readings::bridge(samples, &self.bridge.stats());
        readings::overflow(samples, &self.bridge.overflow_stats());
        readings::bus(samples, &self.bus.stats());
        readings::limits(samples, &self.limits.stats());
        readings::tcp_gateway(samples, &self.tcp_gateway.stats());
        if let Some(gateway) = &self.http_gateway {
            readings::http_gateway(samples, &gateway.stats());
        }
    }
}
