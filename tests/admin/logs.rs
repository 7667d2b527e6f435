//! What the logs say, and what they never say.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use trolleybus_tests::support::http::{request, stream};
use trolleybus_tests::support::soon;
use trolleybus_tests::support::websocket::Client;

use crate::server::{Server, TOKEN, config};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const SECRETS: [&str; 6] =
    ["tokenInQuery", "tokenInCookie", "tokenInHeader", "bodyOfMessage", "tokenInBody", TOKEN];

#[tokio::test]
async fn neither_body_nor_token_nor_cookie_is_logged_at_any_level() {
    let log = Captured::default();
    // For the whole process: the other tests' events do no harm.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let reloaded = config();
    let server =
        Server::start_with(config(), |app| app.with_reload(move || Ok(reloaded.clone()))).await;

    let mut socket = Client::open(server.addr, "/eventbus/websocket?token=tokenInQuery").await;
    socket.send(r#"{"type":"auth","body":"tokenInBody"}"#).await;
    socket.send(r#"{"type":"register","address":"news"}"#).await;
    socket.send(r#"{"type":"publish","address":"news","body":"bodyOfMessage"}"#).await;
    socket.send(r#"{"type":"send","address":"nobody","body":"bodyOfMessage"}"#).await;
    let heard =
        async { while !socket.frame().await.unwrap().as_str().contains("bodyOfMessage") {} };
    soon(heard).await;

    let headers = "Cookie: session=tokenInCookie\r\nAuthorization: Bearer tokenInHeader\r\n";
    let path = "/eventbus/000/sessionInPath/xhr?access_token=tokenInQuery";
    let opened = request(server.addr, "POST", path, headers, "").await;
    assert_eq!(opened.body, "o\n");
    let sent = r#"["{\"type\":\"publish\",\"address\":\"news\",\"body\":\"bodyOfMessage\"}"]"#;
    let path = "/eventbus/000/sessionInPath/xhr_send";
    assert_eq!(request(server.addr, "POST", path, headers, sent).await.status(), 204);
    let (_streaming, head) = stream(server.addr, "GET", "/eventbus/000/other/eventsource").await;
    assert_eq!(head.status, 200);
    assert_eq!(server.ask("POST", "/publish/news", "\"bodyOfMessage\"").await.status(), 200);

    assert_eq!(server.ask("POST", "/rules/reload", "").await.status(), 200);

    drop(socket);
    let told = async {
        while !log.text().contains("socket gone") {
            tokio::task::yield_now().await;
        }
    };
    soon(told).await;
    let text = log.text();
    for secret in SECRETS.into_iter().chain(["sessionInPath"]) {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} was logged");
    }
    let has = |parts: &[&str]| {
        let found = text.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "no line with {parts:?}");
    };
    has(&["INFO", "serving", "version=", "listen=", "max_sockets="]);
    has(&["INFO", "the rules were read again and are in force"]);
    has(&["DEBUG", "socket opened", "socket=", "transport=websocket-raw"]);
    has(&["DEBUG", "request", "path=\"/eventbus/…/xhr_send\"", "status=204"]);
}
