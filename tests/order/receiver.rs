//! A client that listens, over any kind of transport.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};
use tokio::sync::watch;
use trolleybus_tests::support::http::{Connection, post};
use trolleybus_tests::support::websocket::Client;

use crate::Doors;
use crate::ledger::{Ledger, is_message};
use crate::tcp;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Framed,
    Raw,
    Streaming,
    Polling,
    Tcp,
}

/// Those of SockJS.
pub(crate) const FORMS: [Form; 4] = [Form::Framed, Form::Raw, Form::Streaming, Form::Polling];

enum Wire {
    Framed(Client),
    Raw(Client),
    /// With a response under way.
    Streaming(Connection),
    Polling(Connection),
    Tcp(tcp::Wire),
}

pub(crate) struct Receiver {
    addr: SocketAddr,
    session: String,
    wire: Wire,
    ledger: Ledger,
    /// Came in one frame with others.
    waiting: VecDeque<String>,
}

impl Receiver {
    pub(crate) async fn open(doors: Doors, form: Form) -> Self {
        let addr = doors.http;
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        let session = format!("/eventbus/001/{}", SESSIONS.fetch_add(1, Relaxed));
        let wire = match form {
            Form::Framed => Wire::Framed(Client::open(addr, &format!("{session}/websocket")).await),
            Form::Raw => Wire::Raw(Client::open(addr, "/eventbus/websocket").await),
            Form::Streaming => {
                let mut connection = Connection::open(addr).await;
                stream(&mut connection, &session).await;
                Wire::Streaming(connection)
            }
            Form::Polling => Wire::Polling(Connection::open(addr).await),
            Form::Tcp => Wire::Tcp(tcp::Wire::open(doors.tcp.unwrap()).await),
        };
        let (ledger, waiting) = (Ledger::default(), VecDeque::new());
        let mut receiver = Self { addr, session, wire, ledger, waiting };
        if !matches!(form, Form::Raw | Form::Tcp) {
            assert_eq!(receiver.frame().await, "o");
        }
        receiver
    }

    /// Registers for an address, or for a pattern if there is a star in it.
    pub(crate) async fn register(&mut self, address: &str, overflow: &str) {
        let mut envelope = json!({"type": "register", "address": address, "overflow": overflow});
        if address.contains('*') {
            envelope["pattern"] = true.into();
        }
        self.operate(envelope).await;
    }

    /// Listens until so many messages are accounted for; a late one only begins when the senders are
    /// through.
    pub(crate) async fn hear(mut self, messages: u64, late: Option<watch::Receiver<bool>>) {
        if let Some(mut late) = late {
            late.wait_for(|begin| *begin).await.unwrap();
        }
        while self.ledger.accounted < messages {
            let envelope = self.envelope().await;
            self.ledger.note(&envelope);
        }
        assert_eq!(self.ledger.accounted, messages);
    }

    /// Registers and unregisters until the senders are through.
    pub(crate) async fn come_and_go(mut self, address: &str, over: watch::Receiver<bool>) {
        self.ledger.has_gaps = true;
        while !*over.borrow() {
            for operation in ["register", "unregister"] {
                self.operate(json!({"type": operation, "address": address})).await;
            }
        }
    }

    /// Says something and waits for the receipt; messages may come before it.
    async fn operate(&mut self, mut envelope: Value) {
        envelope["receipt"] = "done".into();
        self.say(&envelope.to_string()).await;
        loop {
            let envelope = self.envelope().await;
            if envelope["address"] == "done" {
                assert!(is_message(&envelope), "{envelope}");
                return;
            }
            self.ledger.note(&envelope);
        }
    }

    async fn say(&mut self, text: &str) {
        let framed = json!([text]).to_string();
        match &mut self.wire {
            Wire::Raw(socket) => socket.send(text).await,
            Wire::Framed(socket) => socket.send(&framed).await,
            Wire::Tcp(wire) => wire.say(&[text]).await,
            Wire::Streaming(_) | Wire::Polling(_) => {
                let path = format!("{}/xhr_send", self.session);
                assert_eq!(post(self.addr, &path, &framed).await.status(), 204);
            }
        }
    }

    async fn envelope(&mut self) -> Value {
        loop {
            if let Some(text) = self.waiting.pop_front() {
                return serde_json::from_str(&text).unwrap();
            }
            let frame = self.frame().await;
            match (frame.strip_prefix('a'), &self.wire) {
                (_, Wire::Raw(_) | Wire::Tcp(_)) => self.waiting.push_back(frame),
                (Some(array), _) => self.waiting = serde_json::from_str(array).unwrap(),
                (None, _) => assert_eq!(frame, "h"),
            }
        }
    }

    async fn frame(&mut self) -> String {
        match &mut self.wire {
            Wire::Framed(socket) => socket.text().await,
            Wire::Tcp(wire) => wire.frame().await,
            Wire::Raw(socket) => {
                let frame = socket.frame().await.expect("connection gone");
                String::from_utf8(frame.payload().to_vec()).unwrap()
            }
            Wire::Polling(connection) => {
                let path = format!("{}/xhr", self.session);
                connection.request("POST", &path, "", "").await;
                connection.answer().await.body.trim_end().to_owned()
            }
            Wire::Streaming(connection) => loop {
                if let Some(frame) = connection.chunk().await {
                    return frame.trim_end().to_owned();
                }
                // The response has reached its limit.
                stream(connection, &self.session).await;
            },
        }
    }
}

/// Asks for a streaming response, whose head and prelude are read.
async fn stream(connection: &mut Connection, session: &str) {
    connection.request("POST", &format!("{session}/xhr_streaming"), "", "").await;
    assert_eq!(connection.head().await.status, 200);
    assert!(connection.chunk().await.unwrap().starts_with("hhh"));
}
