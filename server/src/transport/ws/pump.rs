//! Moves messages between the codec and the socket's queues: reads all that is ready, lets the
//! service work, then writes all that is queued in one flush.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::{Instant, Sleep, sleep};
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::sockjs::{self, Messages, Upload, close_frame};

use super::codec::{Codec, Incoming, Lost};
use super::deflate::deflate;
use crate::session::{Apart, Closing, Link, Options, Outgoing, Taken, Tally};

pub(super) struct Pump {
    codec: Codec,
    link: Arc<Link>,
    options: Arc<Options>,
    stage: Stage,
    batch: VecDeque<Outgoing>,
    /// Cost of messages that were handed to the codec and still count in the outbox.
    sent: usize,
    is_dirty: bool,
    tally: Tally,
    timer: Pin<Box<Sleep>>,
    /// The timer was set, and has yet to be polled.
    is_timer_new: bool,
    /// All but the outbox: the input, the service and the timer.
    inner: Apart,
    /// Reading stopped because the service is behind.
    is_behind: bool,
    /// The rest of a frame of several messages, for which there was no space.
    waiting: Option<Box<Messages>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The service closes; what is queued goes first.
    Closing,
    /// The close frame is sent; the peer's is awaited.
    Closed,
    /// The peer closed; our answer is on its way.
    Answering,
    Over,
}

impl Pump {
    pub(super) fn new(codec: Codec, link: Arc<Link>, options: Arc<Options>) -> Self {
        let timer = Box::pin(sleep(options.heartbeat_interval));
        let batch = VecDeque::new();
        let mut pump = Self {
            codec,
            link,
            options,
            stage: Stage::Open,
            batch,
            sent: 0,
            is_dirty: false,
            tally: Tally::default(),
            timer,
            is_timer_new: true,
            inner: Apart::default(),
            is_behind: false,
            waiting: None,
        };
        if !pump.is_raw() {
            let opened = pump.codec.send_text(Bytes::from_static(sockjs::OPEN.as_bytes()));
            pump.sent_frame(opened);
        }
        pump
    }

    fn is_raw(&self) -> bool {
        self.link.info().is_raw()
    }

    /// Ready when the connection is over. `serve` polls the service.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut serve: impl FnMut(&mut Context<'_>),
    ) -> Poll<()> {
        loop {
            self.link.stay_awake();
            // Most polls bring a message to write. Looking for input and asking the service would
            // then cost more than the message.
            if let Some(waker) = self.inner.due(cx) {
                self.read(&waker);
                serve(&mut Context::from_waker(&waker));
            }
            self.watch_clock(cx);
            self.write(cx);
            self.link.counters().add(self.link.info().transport(), &mut self.tally);
            if self.stage == Stage::Over {
                return Poll::Ready(());
            }
            if !self.is_behind
                || self.link.poll_space(&Context::from_waker(&self.inner.waker(cx))).is_pending()
            {
                return Poll::Pending;
            }
            self.inner.look_again();
        }
    }

    /// Reads until nothing is ready, or the service is behind.
    fn read(&mut self, waker: &Waker) {
        let mut cx = Context::from_waker(waker);
        let mut has_space = false;
        self.is_behind = false;
        while self.stage != Stage::Over {
            if !has_space && self.link.poll_space(&cx).is_pending() {
                self.is_behind = true;
                break;
            }
            if self.waiting.is_some() {
                has_space = self.deliver_waiting(waker);
                continue;
            }
            has_space = false;
            match self.codec.poll_next(&mut cx) {
                Poll::Pending => break,
                Poll::Ready(Incoming::Text(text)) => has_space = self.accept_text(&text, waker),
                Poll::Ready(Incoming::Binary(data)) => {
                    has_space = self.accept(&String::from_utf8_lossy(&data), waker);
                }
                Poll::Ready(Incoming::Closed) => self.answer(),
                Poll::Ready(Incoming::Lost) => self.over(),
            }
        }
    }

    /// Text must be UTF-8 (RFC 6455); in binary frames what is none becomes U+FFFD, as in uploads.
    fn accept_text(&mut self, text: &[u8], reader: &Waker) -> bool {
        match std::str::from_utf8(text) {
            Ok(text) => self.accept(text, reader),
            Err(_) => self.refuse(Close::NOT_TEXT),
        }
    }

    /// True when the inbox is known to have space for more. The service is polled with the waker of
    /// the reader, and soon.
    fn accept(&mut self, text: &str, reader: &Waker) -> bool {
        tracing::trace!(length = text.len(), "frame received");
        if self.is_raw() {
            self.tally.receive(text.len());
            return self.link.deliver(ByteString::from(text), Some(reader));
        }
        match Upload::parse_frame(text) {
            Ok(Upload::One(message)) => self.deliver(message, reader),
            Ok(upload) => {
                self.waiting = Some(Box::new(upload.into_iter()));
                self.deliver_waiting(reader)
            }
            Err(_) => self.refuse(Close::BROKEN_FRAMING),
        }
    }

    /// Hands on what is left of a frame, as far as there is space.
    fn deliver_waiting(&mut self, reader: &Waker) -> bool {
        let mut has_space = true;
        while let Some(messages) = self.waiting.as_mut().filter(|_| has_space) {
            match messages.next() {
                Some(message) => has_space = self.deliver(message, reader),
                None => self.waiting = None,
            }
        }
        has_space
    }

    fn deliver(&mut self, message: String, reader: &Waker) -> bool {
        if message.len() > self.options.max_message_size {
            return self.refuse(Close::TOO_BIG);
        }
        self.tally.receive(message.len());
        self.link.deliver(message.into(), Some(reader))
    }

    /// Ends the connection for a mistake of the peer, with a WebSocket close frame only.
    fn refuse(&mut self, close: Close) -> bool {
        self.waiting = None;
        if matches!(self.stage, Stage::Open | Stage::Closing) {
            self.link.refuse(close);
            self.batch.clear();
            self.close_within_timeout(Stage::Closed);
            let closed = self.codec.send_close(close.code, close.reason);
            self.sent_frame(closed);
        }
        false
    }

    /// The peer has closed. When we had closed first, that was its answer.
    fn answer(&mut self) {
        self.link.lose();
        if self.stage == Stage::Closed {
            self.over();
        } else {
            self.close_within_timeout(Stage::Answering);
        }
    }

    fn over(&mut self) {
        self.link.lose();
        self.stage = Stage::Over;
    }

    fn close_within_timeout(&mut self, stage: Stage) {
        self.stage = stage;
        self.set_timer(self.options.close_timeout);
    }

    fn set_timer(&mut self, duration: Duration) {
        self.timer.as_mut().reset(Instant::now() + duration);
        self.is_timer_new = true;
    }

    /// Heartbeats while open, the end of patience afterwards.
    fn watch_clock(&mut self, cx: &mut Context<'_>) {
        // A timer that was polled once wakes by itself.
        while self.stage != Stage::Over && (self.is_timer_new || self.timer.is_elapsed()) {
            self.is_timer_new = false;
            let waker = self.inner.waker(cx);
            if self.timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                return;
            }
            if self.stage == Stage::Open {
                self.beat(cx);
                self.set_timer(self.options.heartbeat_interval);
            } else {
                self.over();
            }
        }
    }

    /// A peer that does not even take what was sent needs no heartbeat.
    fn beat(&mut self, cx: &mut Context<'_>) {
        if self.is_dirty || self.codec.poll_ready(cx).is_pending() {
            return;
        }
        let beaten = if self.is_raw() {
            self.codec.send_ping()
        } else {
            self.codec.send_text(Bytes::from_static(sockjs::HEARTBEAT.as_bytes()))
        };
        self.sent_frame(beaten);
    }

    fn sent_frame(&mut self, result: Result<(), Lost>) {
        match result {
            Ok(()) => self.is_dirty = true,
            Err(Lost) => self.over(),
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        match self.feed(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(Lost)) => return self.over(),
            Poll::Pending => self.listen_for_close(cx),
        }
        if self.is_dirty && self.stage != Stage::Over {
            match self.codec.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.is_dirty = false,
                Poll::Ready(Err(Lost)) => self.over(),
                Poll::Pending => {}
            }
        }
    }

    /// Hands queued messages to the codec, and after the last of a closing socket the farewell.
    fn feed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        while matches!(self.stage, Stage::Open | Stage::Closing) {
            while let Some(message) = self.batch.front() {
                ready!(self.codec.poll_ready(cx))?;
                self.sent += message.cost();
                if let Some(message) = self.batch.pop_front() {
                    self.send(message)?;
                }
            }
            match self.link.take(&mut self.batch, std::mem::take(&mut self.sent), cx) {
                Taken::Messages => {}
                Taken::Empty | Taken::Gone => break,
                Taken::Closing(closing) => {
                    self.begin_close(&closing);
                    ready!(self.codec.poll_ready(cx))?;
                    self.say_goodbye(&closing)?;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, message: Outgoing) -> Result<(), Lost> {
        tracing::trace!(length = message.text_len(), "message sent");
        self.is_dirty = true;
        self.tally.send(message.text_len());
        if self.is_large(&message) {
            return self.send_large(message);
        }
        self.send_plain(message)
    }

    fn send_plain(&mut self, message: Outgoing) -> Result<(), Lost> {
        if !self.is_raw() {
            return self.codec.send_text(message.into_frame());
        }
        let text = message.text().as_bytes().clone();
        if self.options.raw_binary {
            self.codec.send_binary(text)
        } else {
            self.codec.send_text(text)
        }
    }

    fn is_large(&self, message: &Outgoing) -> bool {
        self.options.compression_threshold.is_some_and(|least| message.text_len() >= least)
    }

    /// Sends a message compressed if it pays.
    fn send_large(&mut self, message: Outgoing) -> Result<(), Lost> {
        let is_raw = self.is_raw();
        let plain_len = if is_raw { message.text_len() } else { message.frame().len() };
        if !self.codec.deflates(plain_len) {
            return self.send_plain(message);
        }
        let deflated =
            if is_raw { message.deflated_text(deflate) } else { message.deflated_frame(deflate) };
        let Some(deflated) = deflated else {
            return self.send_plain(message);
        };
        self.tally.compress(plain_len - deflated.len());
        if is_raw && self.options.raw_binary {
            self.codec.send_deflated_binary(deflated)
        } else {
            self.codec.send_deflated_text(deflated)
        }
    }

    /// While the peer does not read, a close must still get through to us.
    fn listen_for_close(&mut self, cx: &Context<'_>) {
        if let Poll::Ready(closing) = self.link.poll_closing(cx) {
            self.begin_close(&closing);
        }
    }

    fn begin_close(&mut self, closing: &Closing) {
        if self.stage == Stage::Open {
            self.close_within_timeout(Stage::Closing);
        }
        if closing.is_overflow {
            self.batch = VecDeque::new();
        }
    }

    fn say_goodbye(&mut self, closing: &Closing) -> Result<(), Lost> {
        self.is_dirty = true;
        self.stage = Stage::Closed;
        if self.is_raw() {
            return self.codec.send_close(closing.code, &closing.reason);
        }
        self.codec.send_text(close_frame(closing.code, &closing.reason).into())?;
        self.codec.send_close(Close::NORMAL.code, Close::NORMAL.reason)
    }
}
