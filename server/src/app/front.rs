//! What a listener serves: the sockets by a short way, and the rest through a router.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use http::Method;
use tower::Service as _;

use crate::sockjs::Answer;
use crate::sockjs::SockJs;

/// What a listener serves. Clones are handles of the same.
#[derive(Debug, Clone)]
pub(super) struct Front {
    router: Router,
    sockets: Option<Sockets>,
}

#[derive(Debug, Clone)]
struct Sockets {
    mount: Arc<str>,
    sockjs: SockJs,
}

impl Front {
    /// All through the router.
    pub(super) fn new(router: Router) -> Self {
        Self { router, sockets: None }
    }

    /// Requests below `mount` go past the router to the sockets, where it would bring them too.
    pub(super) fn with_sockets(self, mount: &str, sockjs: SockJs) -> Self {
        Self { sockets: Some(Sockets { mount: mount.into(), sockjs }), ..self }
    }

    /// Answers a request of a client, from within a task.
    pub(super) fn answer(
        &self,
        mut request: Request,
        client: SocketAddr,
        cx: &mut Context<'_>,
    ) -> Answer {
        if let Some(Sockets { mount, sockjs }) = &self.sockets
            && is_below(request.uri().path(), mount)
            && matches!(*request.method(), Method::GET | Method::POST)
        {
            return sockjs.begin(request, mount, Some(client), cx);
        }
        request.extensions_mut().insert(ConnectInfo(client));
        let answering = self.router.clone().call(request);
        Answer::Later(Box::pin(async move {
            let Ok(response) = answering.await;
            response
        }))
    }
}

fn is_below(path: &str, mount: &str) -> bool {
    path.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_count() {
        assert!(is_below("/eventbus/info", "/eventbus") && is_below("/eventbus/", "/eventbus"));
        assert!(!is_below("/eventbus", "/eventbus") && !is_below("/eventbus2/x", "/eventbus"));
    }
}
