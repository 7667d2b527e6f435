//! Producers: what writes to one address.

use trolleybus_protocol::{Address, BusProducer, DeliveryOptions, Interception, IntoBody};

use super::{Client, Completion, Response};
use crate::driver;

/// Writes to one address, and tells how each write went by the server's receipt. Where this client
/// has a consumer of its own for the address, the write has succeeded by that.
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
        let (handle, address, all) = (&self.client.handle, &self.address, self.is_publisher);
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Completion::known(Err(error.into())),
        };
        match handle.send_off(address, body, options, !all) {
            Ok((body, options)) => {
                let now = driver::now();
                let write = Response::start_bare(handle, |core| {
                    core.write(now, address, body, options, all)
                });
                Completion::of_write(write)
            }
            Err(Interception::Fail(error)) => Completion::known(Err(error)),
            Err(_) => Completion::known(Ok(())),
        }
    }
}
