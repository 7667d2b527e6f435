//! Producers: what writes to one address.

use trolleybus_protocol::{Address, BusProducer, DeliveryOptions, EventBus as _, IntoBody};

use super::{Client, Completion};

/// Writes to one address. Writes that the server refuses, or that nobody consumes, succeed here.
#[derive(Debug, Clone)]
pub struct Producer {
    client: Client,
    address: Address,
    options: DeliveryOptions,
    is_publisher: bool,
}

impl Producer {
    pub(super) fn new(
        client: Client,
        address: Address,
        options: DeliveryOptions,
        is_publisher: bool,
    ) -> Self {
        Self { client, address, options, is_publisher }
    }
}

impl BusProducer for Producer {
    type Write = Completion;

    fn address(&self) -> &Address {
        &self.address
    }

    fn options(&self) -> &DeliveryOptions {
        &self.options
    }

    fn write_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Completion {
        Completion::ready(if self.is_publisher {
            self.client.publish_with(&self.address, body, options)
        } else {
            self.client.send_with(&self.address, body, options)
        })
    }
}
