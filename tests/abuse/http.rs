//! Hostile requests.

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::http::{Connection, get, post, request, stream};
use crate::support::soon;
use crate::victim::{Victim, config};

/// What comes until the server hangs up.
async fn answer_to(victim: &Victim, bytes: impl AsRef<[u8]>) -> String {
    let mut connection = Connection::open(victim.addr).await;
    connection.write(bytes).await;
    connection.rest().await
}

#[tokio::test]
async fn slow_heads_are_cut_off() {
    let mut victim = Victim::start().await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut connection = Connection::open(victim.addr).await;
        connection.write("POST /eventbus/000/slow/xhr HTTP/1.1\r\nHost: x\r\nX-A: ").await;
        slow.push(connection);
    }
    victim.serves().await;
    for connection in &mut slow {
        let rest = connection.rest().await;
        assert!(rest.is_empty() || rest.contains(" 408 "), "{rest}");
    }
}

#[tokio::test]
async fn slow_bodies_are_cut_off() {
    let mut victim = Victim::start().await;
    let (mut receiver, _) = stream(victim.addr, "POST", "/eventbus/000/slow/xhr_streaming").await;
    receiver.chunk().await;
    let head =
        "POST /eventbus/000/slow/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[\"";
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::open(victim.addr).await;
        connection.write(head).await;
        slow.push(connection);
    }
    victim.serves().await;
    let limit = std::time::Duration::from_secs(40);
    for connection in &mut slow {
        let mut rest = Vec::new();
        let read = connection.stream.read_to_end(&mut rest);
        tokio::time::timeout(limit, read).await.expect("a slow body stays for ever").ok();
    }
}

#[tokio::test]
async fn uploads_over_the_limit_are_refused_unread() {
    let mut victim = Victim::start().await;
    for path in ["/eventbus/000/big/xhr_send", "/eventbus/000/big/jsonp_send"] {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
        let answer = answer_to(&victim, head).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // Without a length, one chunk after the other.
    let (mut receiver, _) = stream(victim.addr, "POST", "/eventbus/000/big/xhr_streaming").await;
    receiver.chunk().await;
    let mut connection = Connection::open(victim.addr).await;
    let head =
        "POST /eventbus/000/big/xhr_send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.write(head).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..8 {
        if tokio::io::AsyncWriteExt::write_all(&mut connection.stream, chunk.as_bytes())
            .await
            .is_err()
        {
            break;
        }
    }
    let answer = connection.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    victim.serves().await;
}

#[tokio::test]
async fn a_message_over_the_limit_ends_its_session() {
    let mut victim = Victim::start().await;
    let (mut receiver, _) = stream(victim.addr, "POST", "/eventbus/000/long/xhr_streaming").await;
    receiver.chunk().await;
    assert_eq!(receiver.chunk().await.as_deref(), Some("o\n"));
    let body = json!(["x".repeat(40 * 1024)]).to_string();
    let sent = post(victim.addr, "/eventbus/000/long/xhr_send", &body).await;
    assert!(sent.status() == 204 || sent.status() == 413, "{sent:?}");
    victim.serves().await;
}

#[tokio::test]
async fn lengths_that_lie_are_refused_or_end_the_connection() {
    let mut victim = Victim::start().await;
    let path = "/eventbus/000/liar/xhr_send";
    for headers in [
        "Content-Length: -1",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 0x10",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Transfer-Encoding: gzip",
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n\r\n[\"a\"]"
        );
        let answer = answer_to(&victim, head).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{headers}: {answer}");
    }
    let mut short = TcpStream::connect(victim.addr).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n[\"a\"]");
    tokio::io::AsyncWriteExt::write_all(&mut short, head.as_bytes()).await.unwrap();
    drop(short);
    victim.serves().await;
}

#[tokio::test]
async fn huge_headers_are_refused() {
    let mut victim = Victim::start().await;
    for header in [
        format!("Cookie: JSESSIONID={}", "x".repeat(600 * 1024)),
        (0..500).map(|n| format!("X-{n}: v\r\n")).collect::<String>() + "X: y",
    ] {
        let head = format!(
            "GET /eventbus/info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n"
        );
        let mut connection = Connection::open(victim.addr).await;
        tokio::io::AsyncWriteExt::write_all(&mut connection.stream, head.as_bytes()).await.ok();
        let answer = connection.rest().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_cookie_of_64_kilobytes_is_no_trouble() {
    let mut config = config();
    config.sockjs.jsessionid = true;
    let mut victim = Victim::with(config).await;
    let cookie = format!("Cookie: JSESSIONID={}\r\n", "x".repeat(64 * 1024));
    let answer = request(victim.addr, "POST", "/eventbus/000/cookie/xhr", &cookie, "").await;
    assert!(answer.status() == 200 || answer.status() == 431, "{}", answer.status());
    victim.serves().await;
}

#[tokio::test]
async fn nothing_that_a_request_says_ends_a_header() {
    let mut victim = Victim::start().await;
    let raw = "POST /eventbus/000/cr/xhr HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: http://a\rX-Evil: 1\r\n\r\n";
    let answer = answer_to(&victim, raw).await;
    assert!(!answer.to_ascii_lowercase().contains("\rx-evil"), "{answer}");
    for callback in
        ["a%0d%0aX-Evil:%201", "%3Cscript%3E", "alert(1)//", "a%00b", "%ff", &"x".repeat(5000)]
    {
        for endpoint in ["jsonp", "htmlfile"] {
            let path = format!("/eventbus/000/cb/{endpoint}?c={callback}");
            let answer = get(victim.addr, &path).await;
            assert!(answer.status() >= 400, "{callback}: {}", answer.status());
            assert!(answer.header("x-evil").is_none());
            assert!(!answer.body.contains("<script>"), "{}", answer.body);
        }
    }
    victim.serves().await;
}

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let mut config = config();
    config.server.www = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/abuse").into());
    let mut victim = Victim::with(config).await;
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e%2fCargo.toml",
        "/..%5cCargo.toml",
        "//etc/passwd",
        "/%00",
        "/eventbus/../../Cargo.toml",
        "/eventbus/%2e%2e/%2e%2e/Cargo.toml",
        "/eventbus/000/../xhr",
        "/eventbus/a.b/c/xhr",
        "/eventbus//s/xhr",
    ] {
        let answer = get(victim.addr, path).await;
        assert!((300..=405).contains(&answer.status()), "{path}: {}", answer.status());
        assert!(!answer.body.contains("[package]") && !answer.body.contains("root:"), "{path}");
    }
    victim.serves().await;
}

#[tokio::test]
async fn polls_that_are_left_open_end_with_their_connection() {
    let mut victim = Victim::start().await;
    for number in 0..50 {
        let path = format!("/eventbus/000/poll{number}/xhr");
        assert_eq!(post(victim.addr, &path, "").await.body, "o\n");
        let mut connection = Connection::open(victim.addr).await;
        connection.request("POST", &path, "", "").await;
        if number % 2 == 0 {
            // Half closed: the client says that nothing more will come, and waits.
            tokio::io::AsyncWriteExt::shutdown(&mut connection.stream).await.unwrap();
        }
    }
    victim.serves().await;
}

#[tokio::test]
async fn bytes_that_are_no_http_are_answered_shortly() {
    let mut victim = Victim::start().await;
    let garbage: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\x05hello\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for bytes in garbage {
        let mut connection = Connection::open(victim.addr).await;
        connection.write(bytes).await;
        let mut rest = Vec::new();
        soon(connection.stream.read_to_end(&mut rest)).await.ok();
        assert!(rest.len() < 512);
    }
    victim.serves().await;
}
