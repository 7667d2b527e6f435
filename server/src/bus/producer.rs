//! Producers: what writes to one address, over and over.

use trolleybus_protocol::{Address, BusProducer, DeliveryOptions, Error, IntoBody};

use super::{Bus, Completion};

/// Writes to one address, to one consumer or to all.
#[derive(Debug, Clone)]
pub struct Producer {
    bus: Bus,
    address: Address,
    options: DeliveryOptions,
    is_publisher: bool,
}

impl Producer {
    pub(super) fn new(
        bus: Bus,
        address: Address,
        options: DeliveryOptions,
        is_publisher: bool,
    ) -> Self {
        Self { bus, address, options, is_publisher }
    }

    fn try_write(&self, body: impl IntoBody, options: DeliveryOptions) -> Result<(), Error> {
        let dispatch = self.bus.prepare(&self.address, body, options)?;
        if self.is_publisher { self.bus.try_publish(dispatch) } else { self.bus.try_send(dispatch) }
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
        Completion(self.try_write(body, options))
    }
}
