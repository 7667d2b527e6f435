//! One client over xhr-streaming, and what it has heard.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use trolleybus_protocol::ByteString;
use trolleybus_protocol::envelope::ServerEnvelope;
use trolleybus_protocol::sockjs::{Frame, encode_upload};

use super::tokens::Subject;

/// What must never be heard.
pub(super) const SECRET: &str = "sekret-9f3c0b7a51d2";

/// Answers that a label has had, and whether it must have exactly one in the end.
#[derive(Debug, Default)]
pub(super) struct Label {
    pub(super) answers: usize,
    pub(super) is_checked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Client {
    session: String,
    stream: Option<Body>,
    pub(super) labels: HashMap<String, Label>,
    pub(super) subject: Subject,
    /// Reply addresses of requests that it has to answer.
    pub(super) to_answer: Vec<String>,
}

impl Client {
    pub(super) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    pub(super) async fn open(&mut self, router: &Router, session: String) {
        *self = Self { session, ..Self::default() };
        let response = self.post(router, "xhr_streaming", String::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        self.stream = Some(response.into_body());
        self.listen().await;
    }

    pub(super) async fn say(&mut self, router: &Router, text: &str) {
        let upload = encode_upload([text]);
        let response = self.post(router, "xhr_send", upload).await;
        let is_gone = response.status() == StatusCode::NOT_FOUND;
        assert!(is_gone || response.status() == StatusCode::NO_CONTENT, "{response:?}");
    }

    async fn post(
        &self,
        router: &Router,
        endpoint: &str,
        body: String,
    ) -> axum::http::Response<Body> {
        let uri = format!("/e/000/{}/{endpoint}", self.session);
        let request = Request::post(uri).body(Body::from(body)).expect("a request");
        router.clone().oneshot(request).await.expect("infallible")
    }

    pub(super) fn leave(&mut self) {
        self.stream = None;
        self.subject = Subject::Nobody;
        self.labels.clear();
        self.to_answer.clear();
    }

    /// Hears all that is there.
    pub(super) async fn listen(&mut self) {
        while let Some(stream) = &mut self.stream {
            let Ok(chunk) = tokio::time::timeout(Duration::from_millis(1), stream.frame()).await
            else {
                return;
            };
            let Some(Ok(chunk)) = chunk else { return self.leave() };
            let Ok(data) = chunk.into_data() else { continue };
            let text = std::str::from_utf8(&data).expect("UTF-8").to_owned();
            for line in text.lines() {
                self.hear(line);
            }
        }
    }

    fn hear(&mut self, line: &str) {
        match Frame::parse(line).unwrap_or_else(|_| panic!("no frame: {line:?}")) {
            Frame::Open | Frame::Heartbeat => {}
            Frame::Messages(messages) => messages.iter().for_each(|text| self.envelope(text)),
            Frame::Close { .. } => self.leave(),
        }
    }

    fn envelope(&mut self, text: &str) {
        assert!(!text.contains(SECRET), "a secret got out: {text}");
        let json: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        let envelope = ServerEnvelope::parse(&ByteString::from(text)).expect("an envelope");
        match envelope {
            ServerEnvelope::Rec { address, reply_address, .. } => {
                if let Some(reply) = reply_address {
                    self.to_answer.push(reply.as_str().to_owned());
                }
                match self.labels.get_mut(address.as_str()) {
                    Some(label) => label.answers += 1,
                    None => assert!(self.may_hear(address.as_str(), &json["body"]), "{text}"),
                }
            }
            ServerEnvelope::Err { address, .. } => {
                let label = address.map(|address| address.as_str().to_owned());
                let Some(label) = label else { return };
                let known = self.labels.get_mut(&label);
                known.unwrap_or_else(|| panic!("nobody asked: {text}")).answers += 1;
            }
            ServerEnvelope::Unknown => panic!("unknown: {text}"),
        }
    }

    /// The outbound rules, once more.
    fn may_hear(&self, address: &str, body: &Value) -> bool {
        let inbox = address.strip_prefix("user.").and_then(|rest| rest.strip_suffix(".inbox"));
        match address {
            "a" | "b" => true,
            "m" => body["k"] == "v",
            _ if inbox.is_some_and(|name| self.subject.may_be(name)) => true,
            _ => address.strip_prefix("out.").is_some_and(|rest| !rest.is_empty()),
        }
    }
}
