//! The driver: performs what the machine asks for, delivers messages, keeps one timer.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use core::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;

use super::io::{INFO, Io, Life, Tell, Told, kind, now};
use crate::client::{Hub, Shared};
use crate::core::{Action, Connection, Link};

/// Longest time that `setTimeout` knows.
const TIMEOUT_MAX: u64 = i32::MAX as u64;

/// Whom a driver works for.
pub(crate) trait Host: Sized + 'static {
    /// The machine.
    fn core(&mut self) -> &mut Connection;

    /// A frame, or `/info`, has come; nothing for a host that has [`Driver::give_frames_to`].
    fn handle_text(&mut self, _now: u64, _link: Link, _is_info: bool, _text: &str) {}

    /// Tells the application all that there is to tell.
    fn deliver(this: &Shared<Self>);
}

/// What handles hold.
pub(crate) struct Driver<H: Host = Hub>(Rc<Pump<H>>);

struct Pump<H> {
    hub: Shared<H>,
    io: Io,
    life: Life,
    timer_at: Cell<u64>,
    /// Itself while it is to run soon, so that last words are said.
    scheduled: RefCell<Option<Rc<Self>>>,
    running: Cell<bool>,
}

impl<H: Host> Driver<H> {
    pub(crate) fn start(hub: Shared<H>) -> Self {
        let pump = Rc::new_cyclic(|weak: &Weak<Pump<H>>| {
            let weak = weak.clone();
            // It lives until JavaScript drops it: promises cannot be stopped from calling.
            let tell: Closure<Tell> = Closure::new(move |link, told, text: String, code| {
                if let Some(pump) = weak.upgrade() {
                    pump.handle(Link(link), Told::from_number(told), &text, code);
                    pump.run();
                }
            });
            let tell = tell.into_js_value();
            Pump {
                hub,
                io: Io::new(&tell),
                life: Life::new(&tell),
                timer_at: Cell::new(u64::MAX),
                scheduled: RefCell::default(),
                running: Cell::default(),
            }
        });
        let driver = Self(pump);
        driver.kick();
        driver
    }

    /// From now on this JavaScript function gets the texts of frames and of `/info`.
    pub(crate) fn give_frames_to(&self, take: &JsValue) {
        self.0.io.give(take);
    }

    /// A command was given to the machine; it is worked off when the caller is done, so that what
    /// is sent in one go leaves in one go and no callback runs within the call.
    pub(crate) fn kick(&self) {
        if self.0.scheduled.replace(Some(self.0.clone())).is_none() {
            self.0.io.soon();
        }
    }
}

impl<H: Host> Pump<H> {
    fn handle(&self, link: Link, told: Told, text: &str, code: u16) {
        if told == Told::Run {
            drop(self.scheduled.take());
            return;
        }
        let (hub, now) = (&mut *self.hub.lock(), now());
        if let Told::Frame | Told::Info = told {
            return hub.handle_text(now, link, told == Told::Info, text);
        }
        let core = hub.core();
        match told {
            Told::Ended => core.handle_ended(now, link),
            Told::Failed => core.handle_failed(now, link),
            Told::Sent => core.handle_sent(link),
            Told::Closed => core.handle_closed(now, link, code, text),
            Told::Away => core.suspend(),
            Told::Back => core.resume(now),
            Told::Offline => core.handle_offline(),
            _ => {
                self.timer_at.set(u64::MAX);
                core.handle_timeout(now);
            }
        }
    }

    /// Works off everything that the machine has, and sets the timer.
    fn run(self: &Rc<Self>) {
        if self.running.replace(true) {
            return;
        }
        loop {
            let action = self.hub.lock().core().poll_action();
            match action {
                Some(action) => self.perform(action),
                None => {
                    H::deliver(&self.hub);
                    let action = self.hub.lock().core().poll_action();
                    let Some(action) = action else { break };
                    self.perform(action);
                }
            }
        }
        self.set_timer();
        self.running.set(false);
    }

    fn perform(self: &Rc<Self>, action: Action) {
        match action {
            Action::FetchToken => self.fetch_token(),
            Action::FetchInfo { link, url } => self.io.open(link.0, INFO, &url),
            Action::Open { link, transport, url } => self.io.open(link.0, kind(transport), &url),
            Action::Send { link, url: Some(url), text } => self.io.upload(link.0, &url, &text),
            Action::Send { link, url: None, text } => self.io.send(link.0, &text),
            Action::Close { link } => self.io.close(link.0),
        }
    }

    /// Asks the application, whose answer may come at once.
    fn fetch_token(self: &Rc<Self>) {
        let source = self.hub.lock().core().token_source();
        if let Some(source) = source {
            let pump = Rc::downgrade(self);
            source.fetch(move |answer, valid_for| {
                if let Some(pump) = pump.upgrade() {
                    pump.hub.lock().core().handle_token(now(), answer, valid_for);
                    pump.run();
                }
            });
        }
    }

    fn set_timer(&self) {
        if self.hub.lock().core().state().is_closed() {
            return self.life.end();
        }
        let at = self.hub.lock().core().poll_timeout().unwrap_or(u64::MAX);
        if self.timer_at.replace(at) != at {
            let wait = at.saturating_sub(now()).min(TIMEOUT_MAX);
            self.life.wake(if at == u64::MAX {
                -1
            } else {
                i32::try_from(wait).unwrap_or(i32::MAX)
            });
        }
    }
}

impl<H> Drop for Pump<H> {
    fn drop(&mut self) {
        self.life.end();
    }
}
