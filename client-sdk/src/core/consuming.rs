//! Consumers come and go; the server acknowledges each registration by its receipt.

use alloc::string::String;

use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Address, ConsumerOptions, Error, ErrorKind};

use super::connection::{Connection, Phase};
use super::outbox::Parcel;
use super::output::{ConsumerId, Event, RequestId};
use super::registry::{Matcher, Registration, Tell};
use super::requests::{Requests, Stage};

/// How long a server may take to acknowledge a registration. Servers without receipts, such as
/// Vert.x, never do.
const RECEIPT_PATIENCE: u64 = 10_000;

impl Connection {
    /// Adds a consumer. The first one of the bus registers the address, or the pattern, with the
    /// server, now and on every later connection; [`Event::Registered`] tells what the server says
    /// to that. Messages of this client reach a pattern by its `matcher`; without one only those
    /// of the server do.
    pub fn consumer(
        &mut self,
        now: u64,
        address: &Address,
        options: &ConsumerOptions,
        matcher: Option<Matcher>,
    ) -> ConsumerId {
        let (id, tell, row) = self.registry.add(address, options, matcher);
        if tell == Tell::Server && matches!(self.phase, Phase::Open(_)) {
            let (parcel, text) = register(now, row, &mut self.requests);
            self.outbox.push_control(parcel, text);
        } else if let (Some(result), false) = (&row.outcome, options.local_only) {
            let event = registered(row, result.clone());
            self.events.push_back(event);
        }
        id
    }

    /// Removes a consumer; messages on their way to it are discarded.
    pub fn unregister(&mut self, consumer: ConsumerId) {
        if let Some(row) = self.remove(consumer) {
            self.tell_server(row, None);
        }
    }

    /// As [`Connection::unregister`]; what is given waits for the server to acknowledge it, and
    /// is none when there is nothing to wait for.
    pub fn unregister_acknowledged(&mut self, now: u64, consumer: ConsumerId) -> Option<RequestId> {
        let row = self.remove(consumer)?;
        let receipt = self.requests.add(now + RECEIPT_PATIENCE, Stage::Sent);
        self.tell_server(row, Some(receipt));
        Some(receipt)
    }

    /// What the server said to the registration of an address, or a pattern, on the present
    /// connection; none while nobody knows.
    ///
    /// # Errors
    /// `Refused` with the server's reason; `Timeout` when it did not answer, as one without
    /// receipts does, where the registration may stand all the same; `Closed` when there is no
    /// registration.
    pub fn registration(&mut self, address: &str, is_pattern: bool) -> Option<Result<(), Error>> {
        if let Phase::Closed = self.phase {
            return Some(Err(Self::closed()));
        }
        match self.registry.row(address, is_pattern) {
            Some(row) => row.outcome.clone(),
            None => {
                let text = "unregistered before the registration was acknowledged";
                Some(Err(Error::new(ErrorKind::Closed, text)))
            }
        }
    }

    /// What registers everything anew, for a connection that has just opened.
    pub(super) fn register_all(&mut self, now: u64, into: &mut alloc::vec::Vec<(Parcel, String)>) {
        let requests = &mut self.requests;
        into.extend(self.registry.on_bus().map(|row| register(now, row, requests)));
    }

    /// The server's answer to a registration.
    pub(super) fn acknowledge(&mut self, receipt: RequestId, result: Result<(), Error>) {
        self.receipts_known |= result.is_ok();
        if let Some(row) = self.registry.awaiting(receipt) {
            row.outcome = Some(result.clone());
            let refusal = result.clone().err().filter(|error| error.kind() != ErrorKind::Timeout);
            let event = registered(row, result);
            self.events.push_back(event);
            self.events.extend(refusal.map(Event::Error));
        }
        self.leave_old(receipt);
    }

    /// Gives the registration that the server has to be told the end of.
    fn remove(&mut self, consumer: ConsumerId) -> Option<Registration> {
        let row = self.registry.remove(consumer)?;
        if let Some(receipt) = row.receipt {
            self.requests.remove(receipt);
            if self.outbox.take_back(receipt) {
                return None;
            }
        }
        matches!(self.phase, Phase::Open(_)).then_some(row)
    }

    fn tell_server(&mut self, row: Registration, receipt: Option<RequestId>) {
        let mut envelope = ClientEnvelope::new(Operation::Unregister, row.address);
        envelope.is_pattern = row.is_pattern;
        envelope.receipt = receipt.map(|receipt| self.requests.reply_address(receipt).into());
        self.outbox.push_control(Parcel::Control(receipt), envelope.to_json());
    }
}

fn registered(row: &Registration, result: Result<(), Error>) -> Event {
    let (address, is_pattern) = (row.address.clone(), row.is_pattern);
    Event::Registered { address, is_pattern, result }
}

fn register(now: u64, row: &mut Registration, requests: &mut Requests) -> (Parcel, String) {
    let receipt = requests.add(now + RECEIPT_PATIENCE, Stage::Registration);
    (row.receipt, row.outcome) = (Some(receipt), None);
    let mut envelope = ClientEnvelope::new(Operation::Register, row.address.clone());
    envelope.receipt = Some(requests.reply_address(receipt).into());
    envelope.is_pattern = row.is_pattern;
    envelope.overflow = row.overflow;
    (Parcel::Control(Some(receipt)), envelope.to_json())
}
