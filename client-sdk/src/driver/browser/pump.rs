//! The driver: performs what the machine asks for, delivers messages, keeps one timer.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;

use super::callback::Callback;
use super::event_source::Events;
use super::global::{clear_timeout, now, queue_microtask, set_timeout};
use super::http::{Body, Request};
use super::socket::Socket;
use crate::Transport;
use crate::client::{Hub, Shared, deliver};
use crate::core::{Action, Link};

/// A WebSocket with more than this many bytes unsent gets no more.
const UNSENT_MAX: u32 = 256 << 10;
/// Milliseconds until such a WebSocket is looked at again.
const UNSENT_RETRY: u64 = 20;
/// Longest time that `setTimeout` knows.
const TIMEOUT_MAX: u64 = i32::MAX as u64;

/// What handles hold.
pub(crate) struct Driver(Rc<Pump>);

pub(super) struct Pump {
    pub(super) hub: Shared<Hub>,
    /// What receives on the present link.
    pub(super) receiver: RefCell<Option<Receiver>>,
    /// The upload under way; it outlives its link, so that last words are said.
    upload: RefCell<Option<Request>>,
    timer: RefCell<Option<Timer>>,
    scheduled: Cell<bool>,
    running: Cell<bool>,
    stalled: Cell<Option<Link>>,
}

/// Dropping it ends the receiving.
pub(super) enum Receiver {
    Socket(Socket),
    Http(Request),
    Events(#[expect(dead_code, reason = "held for its drop")] Events),
}

struct Timer {
    at: u64,
    id: JsValue,
    _callback: Callback,
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

impl Driver {
    pub(crate) fn start(hub: Shared<Hub>) -> Self {
        let pump = Pump {
            hub,
            receiver: RefCell::default(),
            upload: RefCell::default(),
            timer: RefCell::default(),
            scheduled: Cell::default(),
            running: Cell::default(),
            stalled: Cell::default(),
        };
        let driver = Self(Rc::new(pump));
        driver.kick();
        driver
    }

    /// A command was given to the machine; it is worked off when the caller is done, so that what
    /// is sent in one go leaves in one go and no callback runs within the call.
    pub(crate) fn kick(&self) {
        if self.0.scheduled.replace(true) {
            return;
        }
        let pump = self.0.clone();
        queue_microtask(&Closure::once_into_js(move || {
            pump.scheduled.set(false);
            pump.run();
        }));
    }
}

impl Pump {
    /// Works off everything that the machine has, and sets the timer.
    pub(super) fn run(self: &Rc<Self>) {
        if self.running.replace(true) {
            return;
        }
        loop {
            let action = self.hub.lock().core.poll_action();
            match action {
                Some(action) => self.perform(action),
                None => {
                    deliver(&self.hub);
                    let action = self.hub.lock().core.poll_action();
                    let Some(action) = action else { break };
                    self.perform(action);
                }
            }
        }
        self.set_timer();
        self.running.set(false);
    }

    fn perform(self: &Rc<Self>, action: Action) {
        let link = match &action {
            Action::FetchToken => return self.fetch_token(),
            Action::FetchInfo { link, .. }
            | Action::Open { link, .. }
            | Action::Send { link, .. }
            | Action::Close { link } => *link,
        };
        let result = match action {
            Action::FetchInfo { url, .. } => Request::receive(self, link, &url, Body::Info)
                .map(|request| self.set_receiver(Some(Receiver::Http(request)))),
            Action::Open { transport, url, .. } => self.open(link, transport, &url),
            Action::Send { url, text, .. } => self.send(link, url.as_deref(), &text),
            Action::Close { .. } | Action::FetchToken => {
                self.set_receiver(None);
                Ok(())
            }
        };
        if result.is_err() {
            self.failed(link);
        }
    }

    fn open(self: &Rc<Self>, link: Link, transport: Transport, url: &str) -> Result<(), JsValue> {
        let receiver = match transport {
            Transport::XhrStreaming | Transport::XhrPolling => {
                Receiver::Http(Request::receive(self, link, url, Body::Frames)?)
            }
            Transport::EventSource => Receiver::Events(Events::open(self, link, url)?),
            _ => Receiver::Socket(Socket::open(self, link, url)?),
        };
        self.set_receiver(Some(receiver));
        Ok(())
    }

    fn send(self: &Rc<Self>, link: Link, url: Option<&str>, text: &str) -> Result<(), JsValue> {
        if let Some(url) = url {
            let request = Request::upload(self, link, url, text)?;
            self.upload.replace(Some(request));
            return Ok(());
        }
        let mut unsent = 0;
        if let Some(Receiver::Socket(socket)) = &*self.receiver.borrow() {
            unsent = socket.send(text)?;
        }
        if unsent > UNSENT_MAX {
            self.stalled.set(Some(link));
        } else {
            self.hub.lock().core.handle_sent(link);
        }
        Ok(())
    }

    /// Asks the application, whose answer may come at once.
    fn fetch_token(self: &Rc<Self>) {
        let source = self.hub.lock().core.token_source();
        if let Some(source) = source {
            let pump = Rc::downgrade(self);
            source.fetch(move |answer, valid_for| {
                if let Some(pump) = pump.upgrade() {
                    pump.hub.lock().core.handle_token(now(), answer, valid_for);
                    pump.run();
                }
            });
        }
    }

    fn set_receiver(&self, receiver: Option<Receiver>) {
        let old = self.receiver.replace(receiver);
        drop(old);
    }

    pub(super) fn frame(&self, link: Link, text: &str) {
        self.hub.lock().core.handle_frame(now(), link, text);
    }

    pub(super) fn failed(&self, link: Link) {
        self.hub.lock().core.handle_failed(now(), link);
    }

    fn set_timer(self: &Rc<Self>) {
        let mut at = self.hub.lock().core.poll_timeout().unwrap_or(u64::MAX);
        if self.stalled.get().is_some() {
            at = at.min(now() + UNSENT_RETRY);
        }
        let mut timer = self.timer.borrow_mut();
        if at == u64::MAX {
            *timer = None;
        } else if timer.as_ref().is_none_or(|timer| timer.at != at) {
            let callback = Callback::new(self, Link::default(), |pump, _, _| pump.time_is_up());
            let wait = at.saturating_sub(now()).min(TIMEOUT_MAX);
            let id = set_timeout(callback.function(), u32::try_from(wait).unwrap_or(u32::MAX));
            *timer = Some(Timer { at, id, _callback: callback });
        }
    }

    fn time_is_up(&self) {
        let timer = self.timer.take();
        self.recheck_stalled();
        self.hub.lock().core.handle_timeout(now());
        drop(timer);
    }

    fn recheck_stalled(&self) {
        let Some(link) = self.stalled.get() else {
            return;
        };
        let unsent = match &*self.receiver.borrow() {
            Some(Receiver::Socket(socket)) => socket.unsent(),
            _ => 0,
        };
        if unsent <= UNSENT_MAX {
            self.stalled.set(None);
            self.hub.lock().core.handle_sent(link);
        }
    }
}
