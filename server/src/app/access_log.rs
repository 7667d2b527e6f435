//! What the access log says of a request, at the level `debug`.

use std::net::SocketAddr;
use std::time::Instant;

use axum::response::Response;
use http::{Method, Request, StatusCode};

use crate::sockjs::Answer;

pub(super) struct Noted {
    method: Method,
    path: String,
    client: SocketAddr,
    began: Instant,
}

impl Noted {
    /// None where nobody wants to know.
    pub(super) fn new<B>(request: &Request<B>, client: SocketAddr) -> Option<Self> {
        tracing::enabled!(tracing::Level::DEBUG).then(|| Self {
            method: request.method().clone(),
            path: discreet(request.uri().path()),
            client,
            began: Instant::now(),
        })
    }

    /// Has the answer logged when it is there.
    pub(super) fn follow(self, answer: Answer) -> Answer {
        match answer {
            Answer::Ready(response) => {
                self.log(response.status());
                Answer::Ready(response)
            }
            Answer::Streaming(response) => {
                self.log(response.status());
                Answer::Streaming(response)
            }
            Answer::Waiting(waiting) => Answer::Waiting(Box::pin(self.logged(waiting))),
            Answer::Later(later) => Answer::Later(Box::pin(self.logged(later))),
        }
    }

    async fn logged(self, answering: impl Future<Output = Response>) -> Response {
        let response = answering.await;
        self.log(response.status());
        response
    }

    fn log(self, status: StatusCode) {
        let Self { method, path, client, began } = self;
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(%method, path, status = status.as_u16(), peer = %client, took_us, "request");
    }
}

/// The path without its middle: there SockJS has the session's id, and who knows it can speak for
/// the session. Queries may hold tokens and are left out altogether.
fn discreet(path: &str) -> String {
    let mut segments = path.trim_start_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    match (segments.next_back(), segments.next()) {
        (None, _) => format!("/{first}"),
        (Some(last), None) => format!("/{first}/{last}"),
        (Some(last), Some(_)) => format!("/{first}/\u{2026}/{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_stay_out_of_the_access_log() {
        assert_eq!(discreet("/"), "/");
        assert_eq!(discreet("/index.html"), "/index.html");
        assert_eq!(discreet("/eventbus/info"), "/eventbus/info");
        assert_eq!(discreet("/eventbus/000/secret/xhr_send"), "/eventbus/\u{2026}/xhr_send");
    }
}
