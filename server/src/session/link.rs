//! Both queues of one socket, shared by its service and its transport.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytestring::ByteString;
use parking_lot::Mutex;
use trolleybus_protocol::codes::Close;

use super::inbox::{Inbox, Next};
use super::outbox::{Closing, Outbox, Taken};
use super::stats::{Counters, Discard, QueueStats};
use super::{Offered, Options, Outgoing, Reserve, SendError, SocketInfo};

/// Bytes that may wait in the outbox of a message that is offered: the others have the rest.
const OFFERED: usize = 64 * 1024;

/// No lock is held while a waker runs, and none across an await.
pub(crate) struct Link {
    info: SocketInfo,
    counters: Arc<Counters>,
    inbox: Mutex<Inbox>,
    outbox: Mutex<Outbox>,
    reserve: OnceLock<Arc<dyn Reserve>>,
}

impl Link {
    pub(crate) fn new(info: SocketInfo, options: &Options, counters: Arc<Counters>) -> Self {
        let inbox = Inbox::new(options.max_inbox_len, options.max_inbox_size);
        let outbox = Outbox::new(options.max_outbox_size);
        let reserve = OnceLock::new();
        Self { info, counters, inbox: Mutex::new(inbox), outbox: Mutex::new(outbox), reserve }
    }

    pub(crate) fn info(&self) -> &SocketInfo {
        &self.info
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Messages in the outbox, and the bytes that count against the limit.
    pub(crate) fn queued(&self) -> (usize, usize) {
        self.outbox.lock().depth()
    }

    /// Adds what waits here.
    pub(super) fn add_depth(&self, to: &mut QueueStats) {
        let (messages, bytes) = self.outbox.lock().depth();
        to.outbox_messages += messages as u64;
        to.outbox_bytes += bytes as u64;
        to.fullest_outbox_bytes = to.fullest_outbox_bytes.max(bytes as u64);
        let (messages, bytes) = self.inbox.lock().depth();
        to.inbox_messages += messages as u64;
        to.inbox_bytes += bytes as u64;
    }

    // The service's side.

    pub(crate) fn send(&self, message: Outgoing) -> Result<(), SendError> {
        let pushed = self.outbox.lock().push(message);
        match pushed {
            Ok(waker) => wake(waker),
            Err(SendError::Overflow) => {
                self.overflow();
                return Err(SendError::Overflow);
            }
            Err(SendError::Closed) => return Err(SendError::Closed),
        }
        Ok(())
    }

    /// Takes a message if the peer keeps up.
    pub(crate) fn offer(&self, message: Outgoing) -> Result<(), Offered> {
        let offered = self.outbox.lock().offer(message, OFFERED);
        offered.map(wake)
    }

    /// Says who keeps back what was offered in vain. The first one counts.
    pub(crate) fn keep_back(&self, reserve: Arc<dyn Reserve>) {
        self.reserve.set(reserve).ok();
    }

    pub(crate) fn close(&self, code: u16, reason: &str) {
        let closes = self.outbox.lock().close(code, reason);
        if closes {
            self.counters.closed(code);
            self.say_closed(code);
            self.end();
        }
    }

    fn overflow(&self) {
        let code = Close::SLOW_CONSUMER.code;
        let mut outbox = self.outbox.lock();
        if outbox.is_open() {
            // What waits, and the message for which there was no room.
            self.counters.discarded(Discard::Slow, outbox.depth().0 + 1);
            self.counters.closed(code);
            outbox.overflow();
            drop(outbox);
            self.say_closed(code);
            self.end();
        }
    }

    fn say_closed(&self, code: u16) {
        let (socket, transport) = (self.info.id(), self.info.transport());
        tracing::debug!(socket, %transport, code, "socket closed by the server");
    }

    pub(crate) fn is_open(&self) -> bool {
        self.outbox.lock().is_open()
    }

    /// How this side closed the socket, if it did.
    pub(crate) fn ending(&self) -> Option<(u16, Box<str>)> {
        let outbox = self.outbox.lock();
        outbox.ending().map(|closing| (closing.code, closing.reason.clone()))
    }

    pub(crate) fn poll_recv(&self, cx: &Context<'_>) -> Poll<Option<ByteString>> {
        let mut inbox = self.inbox.lock();
        match inbox.pop() {
            Next::Message(message) => {
                let writers = inbox.writers();
                drop(inbox);
                writers.into_iter().for_each(Waker::wake);
                Poll::Ready(Some(message))
            }
            Next::Ended => Poll::Ready(None),
            Next::Empty => {
                inbox.wait_for_message(cx.waker());
                Poll::Pending
            }
        }
    }

    // The transport's side.

    /// Hands one message to the service. A service that is polled by the calling task is not woken:
    /// the caller polls it next. True while there is space for another one.
    pub(crate) fn deliver(&self, message: ByteString, caller: Option<&Waker>) -> bool {
        let mut inbox = self.inbox.lock();
        let reader = inbox.push(message);
        let has_space = inbox.has_space();
        drop(inbox);
        let is_caller = |reader: &Waker| caller.is_some_and(|caller| caller.will_wake(reader));
        wake(reader.filter(|reader| !is_caller(reader)));
        has_space
    }

    /// Ready once the service has taken enough to go on.
    pub(crate) fn poll_space(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inbox = self.inbox.lock();
        if inbox.has_space() {
            return Poll::Ready(());
        }
        inbox.wait_for_space(cx.waker());
        Poll::Pending
    }

    /// See [`Outbox::take`]. An empty outbox is filled from the reserve first.
    pub(crate) fn take(
        &self,
        batch: &mut VecDeque<Outgoing>,
        sent: usize,
        cx: &Context<'_>,
    ) -> Taken {
        let taken = self.outbox.lock().take(batch, sent, cx.waker());
        match self.reserve.get() {
            Some(reserve) if taken == Taken::Empty => {
                // The waker that comes out is the caller's own.
                reserve.refill(&mut |message| self.outbox.lock().offer(message, OFFERED).map(drop));
                self.outbox.lock().take(batch, 0, cx.waker())
            }
            _ => taken,
        }
    }

    /// The calling task is going to [`take`](Self::take) before it rests, so until then what is
    /// sent, most of all by the service that it polls itself, wakes nobody.
    pub(crate) fn stay_awake(&self) {
        self.outbox.lock().disarm();
    }

    /// Wakes the transport that waits for messages, to look at something else.
    pub(super) fn wake_receiver(&self) {
        let reader = self.outbox.lock().reader();
        wake(reader);
    }

    /// Takes the cost of sent messages off the outbox.
    pub(crate) fn settle(&self, sent: usize) {
        self.outbox.lock().settle(sent);
    }

    /// The close that the peer has to be told, whatever is still queued; with none, the caller is
    /// woken when there is one.
    pub(crate) fn poll_closing(&self, cx: &Context<'_>) -> Poll<Closing> {
        let mut outbox = self.outbox.lock();
        match outbox.closing() {
            Some(closing) => Poll::Ready(closing.clone()),
            None => {
                outbox.wait_for_close(cx.waker());
                Poll::Pending
            }
        }
    }

    /// The transport has ended the connection for a mistake of the peer, and tells it so itself.
    pub(crate) fn refuse(&self, close: Close) {
        if self.outbox.lock().close(close.code, close.reason) {
            self.counters.closed(close.code);
        }
        self.lose();
    }

    /// The transport is gone: nothing more comes, nothing more goes.
    pub(crate) fn lose(&self) {
        let mut outbox = self.outbox.lock();
        self.counters.discarded(Discard::Gone, outbox.depth().0);
        if outbox.is_open() {
            self.counters.closed_by_client();
        }
        outbox.lose();
        drop(outbox);
        self.end();
    }

    fn end(&self) {
        let (reader, closer) = self.outbox.lock().wakers();
        let (service, writers) = self.inbox.lock().end();
        [reader, closer, service].into_iter().for_each(wake);
        writers.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("info", &self.info)
            .field("inbox", &self.inbox)
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
