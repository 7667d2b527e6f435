//! XHR polling and XHR streaming.

use std::sync::LazyLock;
use std::task::Context;

use bytes::Bytes;
use trolleybus_protocol::sockjs::{Transport, wrap};

use super::answer::Answer;
use super::call::Call;
use super::headers::{self, Reply};
use super::receive::{self, Framing};

struct Polling;

struct Streaming;

impl Framing for Polling {
    const TRANSPORT: Transport = Transport::XhrPolling;
    const AROUND: usize = 1;

    fn pack(&self, out: &mut String, frame: &str) {
        wrap::xhr(out, frame);
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a> {
        head(reply)
    }
}

impl Framing for Streaming {
    const TRANSPORT: Transport = Transport::XhrStreaming;
    const AROUND: usize = 1;

    fn prelude(&self) -> Bytes {
        static PRELUDE: LazyLock<Bytes> = LazyLock::new(|| wrap::xhr_prelude().into());
        PRELUDE.clone()
    }

    fn pack(&self, out: &mut String, frame: &str) {
        wrap::xhr(out, frame);
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a> {
        head(reply)
    }
}

fn head(reply: Reply<'_>) -> Reply<'_> {
    reply.like(&headers::FRAMES).cookie()
}

pub(super) fn poll(call: &Call, session: &str, cx: &mut Context<'_>) -> Answer {
    receive::poll(call, session, Polling, cx)
}

pub(super) fn stream(call: &Call, session: &str) -> Answer {
    receive::stream(call, session, Streaming)
}
