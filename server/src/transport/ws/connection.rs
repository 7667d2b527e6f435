//! The task of one connection. It drives both the pump and the service, so a message crosses no
//! queue between tasks; written out as a future because 10,000 of them are held in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::codec::Accepting;
use super::pump::Pump;
use crate::session::{Handler, Link, Options, Registration};

pub(super) struct Connection {
    stage: Stage,
    link: Arc<Link>,
    options: Arc<Options>,
    handler: Handler,
    _registration: Registration,
}

#[expect(clippy::large_enum_variant, reason = "nearly all connections are open")]
enum Stage {
    Accepting(Accepting),
    Open(Pump),
    /// The service may still be at work.
    Gone,
}

impl Connection {
    pub(super) fn new(
        accepting: Accepting,
        link: Arc<Link>,
        options: Arc<Options>,
        handler: Handler,
        registration: Registration,
    ) -> Self {
        let stage = Stage::Accepting(accepting);
        Self { stage, link, options, handler, _registration: registration }
    }

    fn lose(&mut self) {
        self.stage = Stage::Gone;
        self.link.lose();
        let info = self.link.info();
        tracing::debug!(socket = info.id(), transport = %info.transport(), "socket gone");
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Accepting(accepting) => {
                    let Some(codec) = ready!(Pin::new(accepting).poll(cx)) else {
                        this.lose();
                        return Poll::Ready(());
                    };
                    let info = this.link.info();
                    tracing::debug!(socket = info.id(), transport = %info.transport(), "socket opened");
                    let pump = Pump::new(codec, Arc::clone(&this.link), Arc::clone(&this.options));
                    this.stage = Stage::Open(pump);
                }
                Stage::Open(pump) => {
                    let (handler, link) = (&mut this.handler, &this.link);
                    ready!(pump.poll(cx, |cx| {
                        let _ = handler.poll(link, cx);
                    }));
                    this.lose();
                }
                Stage::Gone => return this.handler.poll(&this.link, cx),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten thousand of them are held in memory.
    #[test]
    fn the_task_of_a_connection_stays_small() {
        assert!(size_of::<Connection>() <= 864, "{}", size_of::<Connection>());
    }
}
