//! What handles and driver share: the machine, and who waits for what comes out of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::Waker;

use super::handle::Handle;
use super::intercept::Interceptors;
use super::message::Message;
use super::shared::{OnReply, Shared, WeakRef};
use crate::core::{Connection, ConsumerId, Event, RequestId, Table};
use crate::{Error, MaybeSend, State};

/// How many errors an [`Errors`](super::Errors) stream holds for a slow reader.
const ERRORS_MAX: usize = 100;

pub(crate) struct Hub {
    pub(crate) core: Connection,
    pub(super) handle: WeakRef<Handle>,
    pub(super) sinks: Table<AnySink>,
    pub(super) waiters: Table<Box<OnReply>>,
    pub(super) watchers: Table<Watcher>,
    pub(super) interceptors: Interceptors,
    /// The state as told to the application; the machine may be a step ahead.
    pub(super) state: State,
    /// Counts its changes, so that a watcher knows what it has seen.
    pub(super) version: u64,
    /// A message on its way to the rest of its consumers.
    under_way: Option<(Message, alloc::vec::IntoIter<ConsumerId>)>,
}

/// Where a consumer's messages go: a callback, or what a stream reads from.
pub(super) trait Sink: MaybeSend {
    /// A message.
    fn take(&mut self, message: Message);

    /// No more messages will come.
    fn end(&mut self) {}
}

pub(super) type AnySink = Shared<Box<dyn Sink>>;

impl<F: FnMut(Message) + MaybeSend> Sink for F {
    fn take(&mut self, message: Message) {
        self(message);
    }
}

/// Someone who watches the state, or the errors.
#[derive(Default)]
pub(super) struct Watcher {
    pub(super) waker: Option<Waker>,
    /// Errors not read yet; none for those who watch the state.
    pub(super) errors: Option<VecDeque<Error>>,
}

/// Something to do while nothing is locked, because application code runs in it.
pub(super) enum Call {
    Message(AnySink, Message),
    Reply(Box<OnReply>, Result<Message, Error>),
    Wake(Vec<Waker>),
    /// Consumers that will get no more messages.
    End(Vec<AnySink>, Vec<Waker>),
}

/// Delivers everything that the machine has for the application. Only the driver calls it, so
/// consumers see messages in order and never within a call of their own.
pub(crate) fn deliver(hub: &Shared<Hub>) {
    loop {
        let call = hub.lock().next_call();
        match call {
            None => return,
            Some(call) => call.run(),
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl crate::driver::Host for Hub {
    fn core(&mut self) -> &mut Connection {
        &mut self.core
    }

    fn handle_text(&mut self, now: u64, link: crate::core::Link, is_info: bool, text: &str) {
        if is_info {
            self.core.handle_info(now, link, text);
        } else {
            self.core.handle_frame(now, link, text);
        }
    }

    fn deliver(this: &Shared<Self>) {
        deliver(this);
    }
}

impl Hub {
    pub(crate) fn new(core: Connection) -> Self {
        Self {
            state: State::Connecting,
            core,
            handle: WeakRef::new(),
            sinks: Table::new(),
            waiters: Table::new(),
            watchers: Table::new(),
            interceptors: Interceptors::default(),
            version: 1,
            under_way: None,
        }
    }

    fn next_call(&mut self) -> Option<Call> {
        loop {
            if let Some(call) = self.next_consumer() {
                return Some(call);
            }
            if let Some(call) = self.take_event()? {
                return Some(call);
            }
        }
    }

    /// The next consumer of the message that is under way.
    fn next_consumer(&mut self) -> Option<Call> {
        while let Some((message, consumers)) = &mut self.under_way {
            let Some(ConsumerId(id)) = consumers.next() else {
                self.under_way = None;
                break;
            };
            if let Some(sink) = self.sinks.get_mut(id) {
                return Some(Call::Message(sink.clone(), message.clone()));
            }
        }
        None
    }

    /// None when there is no event, an inner none when the event asks for no call.
    #[expect(clippy::option_option, reason = "two different absences, and `?` serves the outer")]
    fn take_event(&mut self) -> Option<Option<Call>> {
        Some(match self.core.poll_event()? {
            Event::State(state) => Some(self.change(&state)),
            Event::Message { consumers, message } => {
                let message = Message::new(message, &self.handle);
                self.under_way = Some((message, consumers.into_iter()));
                None
            }
            Event::Reply { request, result } => {
                let RequestId(id) = request;
                let result = result.map(|reply| Message::new(reply, &self.handle));
                self.waiters.remove(id).map(|waiter| Call::Reply(waiter, result))
            }
            // Those who wait for it look for themselves.
            Event::Registered { .. } | Event::Room => Some(Call::Wake(self.wakers())),
            Event::Error(error) => Some(self.report(&error)),
            Event::Overlap(_) | Event::Unhandled(_) => None,
        })
    }

    fn change(&mut self, state: &State) -> Call {
        self.version += 1;
        self.state = state.clone();
        let wakers = self.wakers();
        match state {
            State::Closed { .. } => {
                let sinks = self.sinks.take_if(|_| true).into_iter();
                Call::End(sinks.map(|(_, sink)| sink).collect(), wakers)
            }
            _ => Call::Wake(wakers),
        }
    }

    fn report(&mut self, error: &Error) -> Call {
        for watcher in self.watchers.values_mut() {
            if let Some(errors) = &mut watcher.errors {
                if errors.len() == ERRORS_MAX {
                    errors.pop_front();
                }
                errors.push_back(error.clone());
            }
        }
        Call::Wake(self.wakers())
    }

    fn wakers(&mut self) -> Vec<Waker> {
        let watchers = self.watchers.values_mut();
        watchers.filter_map(|watcher| watcher.waker.take()).collect()
    }
}

impl Call {
    fn run(self) {
        match self {
            Self::Message(sink, message) => sink.lock().take(message),
            Self::Reply(waiter, result) => waiter(result),
            Self::Wake(wakers) => wakers.into_iter().for_each(Waker::wake),
            Self::End(sinks, wakers) => {
                for sink in sinks {
                    sink.lock().end();
                }
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }
}
