//! One SockJS service: its sessions, its sockets and their tasks.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use tokio_util::task::TaskTracker;

use super::answer::Answer;
use super::call::Call;
use super::{dispatch, iframe};
use crate::session::{
    Attached, Counters, Handler, HandlerFuture, Link, Options, Pace, Registration, Registry,
    Session, Socket, SocketStats, Table,
};

type MakeHandler = Box<dyn Fn(Socket) -> HandlerFuture + Send + Sync>;

/// A SockJS service: one handler behind every SockJS transport. Clones are handles to the same
/// service.
#[derive(Clone)]
pub struct SockJs {
    service: Arc<Service>,
}

pub(super) struct Service {
    pub(super) options: Arc<Options>,
    pub(super) iframe: iframe::Page,
    handler: MakeHandler,
    table: Arc<Table>,
    registry: Arc<Registry>,
    tasks: TaskTracker,
}

impl SockJs {
    /// A service that runs `handler` for each socket. The socket closes when the future returns; a
    /// future whose socket is gone runs on until it returns.
    pub fn new<H, F>(options: Options, handler: H) -> Self
    where
        H: Fn(Socket) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let handler = move |socket| -> HandlerFuture {
            let handler = handler.clone();
            Box::pin(async move { handler(socket).await })
        };
        let options = options.within_reason();
        let service = Service {
            iframe: iframe::Page::new(&options),
            registry: Arc::new(Registry::new(options.max_sockets)),
            options: Arc::new(options),
            handler: Box::new(handler),
            table: Arc::default(),
            tasks: TaskTracker::new(),
        };
        Self { service: Arc::new(service) }
    }

    /// The service as a router. Mount it with [`Router::nest_service`]: [`Router::nest`] has no way
    /// to route the base URL with a slash at its end.
    pub fn router(&self) -> Router {
        Router::new().fallback(any(dispatch::routed)).with_state(Arc::clone(&self.service))
    }

    /// Answers one request without a router, which costs as much as all else that a polling client
    /// needs. `mount` is the path that the service stands under, which must be what the request's
    /// path begins with; `client` is whose request it is.
    pub fn answer(
        &self,
        request: Request,
        mount: &str,
        client: Option<SocketAddr>,
    ) -> impl Future<Output = Response> + Send + use<> {
        let (this, mount) = (self.clone(), mount.len());
        async move {
            let answer = dispatch::in_task(|cx| this.dispatch(request, mount, client, cx)).await;
            answer.response().await
        }
    }

    /// The same from within a task; what has to be waited for is given back.
    pub(crate) fn begin(
        &self,
        request: Request,
        mount: &str,
        client: Option<SocketAddr>,
        cx: &mut Context<'_>,
    ) -> Answer {
        self.dispatch(request, mount.len(), client, cx)
    }

    fn dispatch(
        &self,
        request: Request,
        mount: usize,
        client: Option<SocketAddr>,
        cx: &mut Context<'_>,
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let call = Call { service: Arc::clone(&self.service), parts, client, mount };
        dispatch::dispatch(call, body, cx)
    }

    /// Sockets that are open, or that have closed and wait to tell their client so.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.service.registry.open_sockets()
    }

    /// What happened on the sockets so far, and what waits in their queues now. It looks into each
    /// open socket.
    #[must_use]
    pub fn stats(&self) -> SocketStats {
        self.service.registry.stats()
    }

    /// Closes every socket that is open now, each after what it has queued.
    pub fn close_all(&self, code: u16, reason: &str) {
        self.service.registry.close_all(code, reason);
    }

    /// Refuses new sockets with 503, closes all others, and waits until each has ended and its
    /// handler has returned. Polling clients get the disconnect delay to fetch the news.
    pub async fn drain(&self, code: u16, reason: &str) {
        self.drain_at(code, reason, Pace::new(0, Duration::ZERO)).await;
    }

    /// The same, closing sockets at a pace.
    pub async fn drain_at(&self, code: u16, reason: &str, pace: Pace) {
        self.service.registry.refuse_more();
        self.service.registry.close_at(code, reason, pace).await;
        self.service.tasks.close();
        self.service.tasks.wait().await;
    }
}

impl fmt::Debug for SockJs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SockJs").field("open_sockets", &self.open_sockets()).finish_non_exhaustive()
    }
}

impl Service {
    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.table.get(id)
    }

    /// Attaches a receiver to the session `id`; a new one is made of `link`.
    pub(super) fn attach(&self, id: &str, link: impl FnOnce() -> Link) -> Attached {
        self.table.attach(id, || self.open_session(id, link()))
    }

    fn open_session(&self, id: &str, link: Link) -> Option<Arc<Session>> {
        let link = Arc::new(link);
        let registration = self.register(&link)?;
        let session = Arc::new(Session::new(id, Arc::clone(&link), &self.options));
        let table = Arc::clone(&self.table);
        self.spawn(Arc::clone(&session).run(table, registration, self.handler_for(link)));
        Some(session)
    }

    pub(super) fn register(&self, link: &Arc<Link>) -> Option<Registration> {
        let place = match &self.options.door {
            Some(door) => Some(door.admit(link.info().remote_addr())?),
            None => None,
        };
        self.registry.register(link, place)
    }

    /// The number of a new socket.
    pub(super) fn next_id(&self) -> u64 {
        self.registry.next_id()
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(self.registry.counters())
    }

    pub(super) fn handler_for(&self, link: Arc<Link>) -> Handler {
        Handler::new((self.handler)(Socket::new(link)))
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_socket_knows_its_path_behind_the_mount_point() {
        let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
        let service = SockJs::new(Options::default(), move |socket: Socket| {
            told.send(socket.info().path().to_owned()).ok();
            std::future::ready(())
        });
        let request = Request::post("/bus/000/abc/xhr?t=1").body(Body::empty()).unwrap();
        let response = service.answer(request, "/bus", None).await;
        assert_eq!(response.status(), http::StatusCode::OK);
        assert_eq!(tells.recv().await.as_deref(), Some("/000/abc/xhr"));
    }
}
