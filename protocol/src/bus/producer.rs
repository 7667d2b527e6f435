//! Producers: what writes to one address, over and over.

use core::future::Future;

use crate::{Address, DeliveryOptions, Error, IntoBody};

/// Writes to one address with the same options, to one consumer or to all of them.
///
/// The message is on its way when a write returns; its future only tells how that went, and need
/// not be awaited. `Ok` means that somebody consumes the address, not that the message arrived.
/// `NoHandlers` means that nobody does.
pub trait BusProducer {
    /// How a write went.
    type Write: Future<Output = Result<(), Error>> + 'static;

    /// The address it writes to.
    fn address(&self) -> &Address;

    /// The options of its writes.
    fn options(&self) -> &DeliveryOptions;

    /// Writes with `options` in place of the producer's own.
    ///
    /// # Cancel safety
    /// The message is on its way before the future is first asked. Dropping the future gives up
    /// hearing how it went; a client takes a message back that has not left yet.
    fn write_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Self::Write;

    /// Writes with the producer's options.
    fn write(&self, body: impl IntoBody) -> Self::Write {
        self.write_with(body, self.options().clone())
    }
}
