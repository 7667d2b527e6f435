//! One request without its body, and how to answer it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use trolleybus_protocol::sockjs::{Transport, form_field};

use super::headers::{self, Reply};
use super::mounted;
use super::service::Service;
use crate::session::{Link, Options, SocketInfo};

pub(super) struct Call {
    pub(super) service: Arc<Service>,
    pub(super) parts: Parts,
    /// The client, where that is known.
    pub(super) client: Option<SocketAddr>,
    /// How many bytes of the path, as `parts` has it, are the mount point's. With none, axum's
    /// routers may have taken it off.
    pub(super) mount: usize,
}

impl Call {
    pub(super) fn options(&self) -> &Options {
        &self.service.options
    }

    /// Starts an answer.
    pub(super) fn reply(&self) -> Reply<'_> {
        Reply::new(&self.parts.headers, self.options())
    }

    /// What an answer that comes later needs to know of this request.
    pub(super) fn asker(&self) -> Asker {
        let headers = headers::repeated(&self.parts.headers, self.options());
        Asker { headers, options: Arc::clone(&self.service.options) }
    }

    pub(super) fn is_disabled(&self, transport: Transport) -> bool {
        self.options().disabled_transports.contains(transport)
    }

    /// The queues of a new socket.
    pub(super) fn link(&self, transport: Transport) -> Link {
        let info = SocketInfo::new(
            self.service.next_id(),
            transport,
            self.client,
            self.path_and_query(),
            &self.parts.headers,
        );
        Link::new(info, self.options(), self.service.counters())
    }

    /// The path behind the mount point.
    pub(super) fn path(&self) -> &str {
        match self.mount {
            0 => mounted::path(&self.parts),
            mount => self.parts.uri.path().get(mount..).unwrap_or_default(),
        }
    }

    /// Path and query behind the mount point.
    fn path_and_query(&self) -> &str {
        let whole = self.parts.uri.path_and_query().map_or("", |path| path.as_str());
        whole.get(self.mount..).unwrap_or_default()
    }

    /// The callback that jsonp and htmlfile ask for, under either of its names.
    pub(super) fn callback(&self) -> Option<String> {
        let query = self.parts.uri.query()?.as_bytes();
        ["c", "callback"]
            .into_iter()
            .find_map(|name| form_field(query, name))
            .filter(|callback| !callback.is_empty())
    }
}

/// Of a request, what its answer repeats; and no part of the buffer that the request was read into.
pub(super) struct Asker {
    headers: HeaderMap,
    options: Arc<Options>,
}

impl Asker {
    /// Starts an answer.
    pub(super) fn reply(&self) -> Reply<'_> {
        Reply::new(&self.headers, &self.options)
    }
}
