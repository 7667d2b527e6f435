//! A page that never ends loading, each frame a script in it.

use bytes::Bytes;
use trolleybus_protocol::sockjs::{Transport, wrap};

use super::answer::Answer;
use super::call::Call;
use super::headers::{self, Reply};
use super::jsonp;
use super::receive::{self, Framing};

struct HtmlFile {
    callback: String,
}

impl Framing for HtmlFile {
    const TRANSPORT: Transport = Transport::HtmlFile;

    fn prelude(&self) -> Bytes {
        wrap::html_file_prelude(&self.callback).into()
    }

    fn pack(&self, out: &mut String, frame: &str) {
        wrap::html_file(out, frame);
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a> {
        reply.content_type(&headers::HTML).no_cache().cookie()
    }
}

pub(super) fn stream(call: &Call, session: &str) -> Answer {
    match jsonp::checked_callback(call) {
        Ok(callback) => receive::stream(call, session, HtmlFile { callback }),
        Err(refusal) => (*refusal).into(),
    }
}
