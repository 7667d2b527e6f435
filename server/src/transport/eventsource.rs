//! Server-sent events.

use bytes::Bytes;
use trolleybus_protocol::sockjs::{Transport, wrap};

use super::answer::Answer;
use super::call::Call;
use super::headers::{self, Reply};
use super::receive::{self, Framing};

struct EventSource;

impl Framing for EventSource {
    const TRANSPORT: Transport = Transport::EventSource;

    fn prelude(&self) -> Bytes {
        Bytes::from_static(wrap::EVENT_SOURCE_PRELUDE.as_bytes())
    }

    fn pack(&self, out: &mut String, frame: &str) {
        wrap::event_source(out, frame);
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a> {
        reply.content_type(&headers::EVENT_STREAM).no_cache().cors().cookie()
    }
}

pub(super) fn stream(call: &Call, session: &str) -> Answer {
    receive::stream(call, session, EventSource)
}
