//! The other ways in: nonsense over TCP, slow bodies, streams, guesses at the operators' token.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trolleybus::admin::Secret;

use crate::support::http::{Connection, get, request, stream};
use crate::support::soon;
use crate::victim::{Victim, config};

#[tokio::test]
async fn nonsense_over_tcp_disturbs_nobody() {
    let mut config = config();
    config.gateway.tcp.listen = Some(config.server.listen);
    let mut victim = Victim::with(config).await;
    let addr = victim.tcp.unwrap();
    let mut silent = Vec::new();
    for number in 0..20 {
        // A length of a frame that never comes, byte by byte.
        let mut slow = TcpStream::connect(addr).await.unwrap();
        slow.write_all(&[0, 3][..1 + number % 2]).await.unwrap();
        silent.push(slow);
    }
    let hostile: [&[u8]; 5] = [
        &[0xff; 4096],
        &[0x7f, 0xff, 0xff, 0xff],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0x16, 3, 1, 2, 0, 1, 0, 1],
        b"\x80\0\0\0{}",
    ];
    for bytes in hostile {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.contains("invalid_frame_length"), "{answer}");
    }
    let mut flood = TcpStream::connect(addr).await.unwrap();
    flood.write_all(&b"\0\0\0\x02\xff[".repeat(2000)).await.unwrap();
    victim.serves().await;
    drop(silent);
}

#[tokio::test]
async fn slow_bodies_and_too_many_streams_are_turned_away() {
    let mut config = config();
    config.gateway.http.path = Some("/api".to_owned());
    config.gateway.http.body_timeout_ms = 200;
    config.gateway.http.max_streams = 5;
    let mut victim = Victim::with(config).await;
    let mut slow = Vec::new();
    for _ in 0..30 {
        let mut connection = Connection::open(victim.addr).await;
        let head = "POST /api/send/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1";
        connection.write(head).await;
        slow.push(connection);
    }
    let mut streams = Vec::new();
    for number in 0..10 {
        let (stream, head) = stream(victim.addr, "GET", "/api/subscribe/news").await;
        assert_eq!(head.status, if number < 5 { 200 } else { 429 });
        streams.push(stream);
    }
    victim.serves().await;
    for connection in &mut slow {
        assert_eq!(connection.answer().await.status(), 408);
    }
    drop(streams);
    victim.is_left_alone().await;
    victim.serves().await;
}

#[tokio::test]
async fn guessing_the_token_of_operators_leads_nowhere() {
    let token = "an-admin-token-of-some-length";
    let mut config = config();
    config.admin.on_server = true;
    config.admin.token = Some(Secret::new(token));
    let mut victim = Victim::with(config).await;
    let long = "x".repeat(5000);
    for guess in ["", "an-admin-token-of-some-lengt", "AN-ADMIN-TOKEN-OF-SOME-LENGTH", &long] {
        let headers = format!("Authorization: Bearer {guess}\r\n");
        for path in ["/admin/config", "/admin/sockets", "/admin/../admin/config"] {
            let answer = request(victim.addr, "GET", path, &headers, "").await;
            assert!([401, 404].contains(&answer.status()), "{path}: {}", answer.status());
            assert!(!answer.body.contains(token));
        }
    }
    let query = get(victim.addr, &format!("/admin/stats?token={token}")).await;
    assert_eq!(query.status(), 401);
    let body = json!({"body": 1}).to_string();
    let kick = request(victim.addr, "POST", "/admin/kick?subject=a", "", &body).await;
    assert_eq!(kick.status(), 401);
    let headers = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(request(victim.addr, "GET", "/admin/stats", &headers, "").await.status(), 200);
    victim.serves().await;
}
