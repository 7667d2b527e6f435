//! Consumers: a registration, and the stream of its messages.

use core::future::Future;

use futures_core::Stream;

use super::{MaybeSend, MaybeSync};
use crate::{Address, Error};

/// A registration and its messages. It begins with unlimited demand. Messages that are not taken
/// wait in a bounded buffer; when that is full the newest are discarded, and a request among them
/// fails at once with `Timeout`. Dropping the consumer unregisters it.
pub trait BusConsumer: Stream + Unpin {
    /// Resolves once a registration, or the end of one, is known to all.
    type Completion: Future<Output = Result<(), Error>> + 'static;

    /// The address, or the pattern, that it consumes.
    fn address(&self) -> &Address;

    /// False once it is unregistered, has failed to register, or its bus is closed.
    fn is_registered(&self) -> bool;

    /// Stops the stream: messages wait in the buffer until there is demand again.
    fn pause(&self);

    /// Lets the stream flow without limit.
    fn resume(&self);

    /// Adds demand for `messages` more, after [`BusConsumer::pause`]; without limit it stays so.
    fn fetch(&self, messages: u64);

    /// Resolves once the registration stands: in a client when the server has acknowledged it.
    ///
    /// # Cancel safety
    /// It can be dropped and asked for again; the registration is none of its.
    ///
    /// # Errors
    /// Why it does not stand: the pattern is none, it was refused, or it was unregistered first.
    fn completion(&self) -> Self::Completion;

    /// Ends the registration. Messages in the buffer are discarded and requests among them fail,
    /// both before this returns; the stream ends. Once more does nothing more. The future need not
    /// be awaited; it resolves when no further message can be on its way here.
    ///
    /// # Cancel safety
    /// All is done before the future is first asked; dropping it changes nothing.
    fn unregister(&mut self) -> Self::Completion;

    /// Calls `callback` for each message that is discarded from now on: because the buffer is
    /// full, or because the consumer ends with the message in it. One callback at most; it
    /// replaces the one before. It is called in the sender's task, so it must not block.
    fn on_discard(&self, callback: impl Fn(&Self::Item) + MaybeSend + MaybeSync + 'static);
}
