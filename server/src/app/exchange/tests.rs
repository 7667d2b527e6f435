//! Polls that wait for long, over a stream in memory and with a clock that jumps.

use std::task::{Wake, Waker};
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::watch::CALM;
use super::*;
use crate::access::limits;
use crate::app::client_ip::{ForwardedHeader, Proxies};
use crate::app::front::Front;
use crate::app::http::Limits;
use crate::sockjs::{Options, SockJs, Socket};

mod streams;

const POLL: &str = "POST /bus/000/one/xhr HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
const GREETING: &str = "GET /bus/ HTTP/1.1\r\nhost: a\r\n\r\n";
/// Long enough for a poll to be parked.
const LATE: Duration = Duration::from_secs(10);

const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

struct Client {
    stream: DuplexStream,
    /// Read, and not yet looked at.
    text: String,
    sockjs: SockJs,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// Sockets that say `late` after [`LATE`] and then echo.
fn late() -> SockJs {
    SockJs::new(Options::default(), |mut socket: Socket| async move {
        tokio::time::sleep(LATE).await;
        socket.send("late").unwrap();
        while let Some(text) = socket.recv().await {
            socket.send(text).unwrap();
        }
    })
}

impl Client {
    /// A client of [`late`] sockets; `room` bytes may be under way in each direction.
    fn new(room: usize) -> Self {
        Self::of(late(), room)
    }

    fn of(sockjs: SockJs, room: usize) -> Self {
        let (stream, exchange, stop) = Self::beginning(&sockjs, room);
        let served = tokio::spawn(exchange);
        Self { stream, text: String::new(), sockjs, stop, served }
    }

    /// The client's end, and what serves it.
    fn beginning(
        sockjs: &SockJs,
        room: usize,
    ) -> (DuplexStream, impl Future<Output = ()> + use<>, CancellationToken) {
        let stop = CancellationToken::new();
        let front = Front::new(Router::new()).with_sockets("/bus", sockjs.clone());
        let limits = Limits {
            max_connections: 1,
            header_timeout: HEADER_TIMEOUT,
            write_timeout: Duration::from_secs(5),
            of_clients: limits::Limits::default(),
            proxies: Arc::new(Proxies::new(&[], ForwardedHeader::default())),
        };
        let serving = Arc::new(Serving { front, limits, tls: None, stop: stop.clone() });
        let (stream, near) = duplex(room);
        (stream, exchange(near, ([127, 0, 0, 1], 80).into(), serving), stop)
    }

    /// Opens the session and begins a second poll, which has to wait.
    async fn waiting() -> Self {
        let mut client = Self::new(4096);
        client.ask(POLL).await;
        assert_eq!(client.body().await, "o\n");
        client.ask(POLL).await;
        client
    }

    async fn ask(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Takes what ends with `end` off what the server says.
    async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let mut bytes = [0; 256];
            let count = self.stream.read(&mut bytes).await.unwrap();
            assert_ne!(count, 0, "the server has ended the connection after {:?}", self.text);
            self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    /// The body of the next response, which has one line.
    async fn body(&mut self) -> String {
        let head = self.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        self.until("\n").await
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_waits_long_is_answered_and_the_connection_goes_on() {
    let mut client = Client::waiting().await;
    assert_eq!(client.body().await, "a[\"late\"]\n");
    client.ask(POLL).await;
    assert_eq!(client.body().await, "h\n");
    client.ask(GREETING).await;
    assert_eq!(client.body().await, "Welcome to SockJS!\n");
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_poll_waits_is_answered_after_it() {
    for pause in [Duration::ZERO, LATE / 2] {
        let mut client = Client::waiting().await;
        tokio::time::sleep(pause).await;
        let (begin, end) = GREETING.split_at(3);
        client.ask(begin).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        client.ask(end).await;
        assert_eq!(client.body().await, "a[\"late\"]\n");
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_while_its_poll_waits_loses_its_session() {
    let client = Client::waiting().await;
    tokio::time::sleep(LATE / 2).await;
    assert_eq!(client.sockjs.open_sockets(), 1);
    drop(client.stream);
    client.served.await.unwrap();
    tokio::time::sleep(LATE).await;
    assert_eq!(client.sockjs.open_sockets(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_waits_is_answered_before_the_server_stops() {
    let mut client = Client::waiting().await;
    tokio::time::sleep(LATE / 2).await;
    client.stop.cancel();
    let head = client.until("\r\n\r\n").await;
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert_eq!(client.until("\n").await, "a[\"late\"]\n");
    client.served.await.unwrap();
    assert_eq!(client.stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_yet_is_not_lost_when_the_next_request_waits() {
    // Room for the requests, and not for the first answer.
    let mut client = Client::new(200);
    client.ask(&[POLL, GREETING, POLL].concat()).await;
    tokio::time::sleep(CALM * 4).await;
    assert_eq!(client.body().await, "o\n");
    assert_eq!(client.body().await, "Welcome to SockJS!\n");
    assert_eq!(client.body().await, "a[\"late\"]\n");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_quiet_goes_on_with_the_next_request() {
    let mut client = Client::new(4096);
    for pause in [0, 1, 2, 5, 10] {
        tokio::time::sleep(CALM * pause).await;
        client.ask(GREETING).await;
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
        let (begin, end) = GREETING.split_at(20);
        client.ask(begin).await;
        tokio::time::sleep(CALM * pause).await;
        client.ask(end).await;
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_is_not_lost_in_a_rest() {
    let mut client = Client::new(GREETING.len());
    client.ask(GREETING).await;
    tokio::time::sleep(CALM * 4).await;
    assert_eq!(client.body().await, "Welcome to SockJS!\n");
    client.ask(GREETING).await;
    assert_eq!(client.body().await, "Welcome to SockJS!\n");
}

#[tokio::test(start_paused = true)]
async fn an_upload_in_pieces_is_read_to_its_end() {
    const HEAD: &str = "POST /bus/000/one/xhr_send HTTP/1.1\r\nhost: a\r\n";
    let mut client = Client::new(4096);
    client.ask(POLL).await;
    assert_eq!(client.body().await, "o\n");
    // More than goes through at a time, and told in advance or not.
    let long = format!("[\"{}\"]", "x".repeat(30_000));
    let sized = format!("{HEAD}content-length: {}\r\n\r\n{long}", long.len());
    let (one, two) = long.split_at(15_000);
    let chunked = format!(
        "{HEAD}transfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    for upload in [sized, chunked] {
        for piece in upload.as_bytes().chunks(7_000) {
            client.stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let head = client.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 204 No Content\r\n"), "{head}");
    }
    client.ask(POLL).await;
    tokio::time::sleep(LATE).await;
    client.ask(POLL).await;
    let both = client.body().await;
    assert_eq!(both.matches('x').count(), 60_000);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_came_whole_does_not_wake_its_connection_when_it_is_read() {
    #[derive(Default)]
    struct Wakes(AtomicU32);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let (mut stream, exchange, _stop) = Client::beginning(&late(), 4096);
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(Arc::clone(&wakes));
    let mut exchange = std::pin::pin!(exchange);
    let mut poll = || exchange.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
    assert!(poll());
    stream.write_all(POLL.as_bytes()).await.unwrap();
    assert!(poll());
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer).await.unwrap();
    assert!(answer[..count].ends_with(b"o\n"));
    let upload =
        "POST /bus/000/one/xhr_send HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n[\"x\"]";
    stream.write_all(upload.as_bytes()).await.unwrap();
    let before = wakes.0.load(Relaxed);
    assert!(before > 0 && poll());
    let count = stream.read(&mut answer).await.unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 204 No Content\r\n"));
    assert_eq!(wakes.0.load(Relaxed), before);
}

/// How long it takes until the server has cut off a client that from now on sends no request whole.
async fn cut_off(mut client: Client) -> Duration {
    let begun = tokio::time::Instant::now();
    client.ask("GET / HTTP/1.1\r\nx: ").await;
    while client.stream.write_all(b"a").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    client.served.await.unwrap();
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_never_whole_is_cut_off_whatever_came_before() {
    let moments = CALM * 3;
    let fresh = Client::new(4096);
    assert!(cut_off(fresh).await <= HEADER_TIMEOUT + moments);

    let mut answered = Client::new(4096);
    for _ in 0..40 {
        answered.ask(GREETING).await;
        answered.body().await;
        tokio::time::sleep(CALM / 2).await;
    }
    assert!(cut_off(answered).await <= HEADER_TIMEOUT + moments);

    // A stream is under way for as long as it likes; what comes after it is not.
    let mut streamed = Client::new(4096);
    streamed
        .ask("POST /bus/000/one/xhr_streaming HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
        .await;
    streamed.until("a[\"late\"]\n").await;
    tokio::time::sleep(HEADER_TIMEOUT * 2).await;
    assert_eq!(streamed.sockjs.open_sockets(), 1);
    streamed.sockjs.close_all(3000, "Go away!");
    streamed.until("0\r\n\r\n").await;
    assert!(cut_off(streamed).await <= HEADER_TIMEOUT + moments);
}

/// How long the server keeps a connection on which `text` comes after an answer and a rest.
async fn patience(text: &str) -> Duration {
    let mut client = Client::new(4096);
    client.ask(GREETING).await;
    client.body().await;
    tokio::time::sleep(CALM * 4).await;
    let begun = tokio::time::Instant::now();
    for byte in text.bytes() {
        tokio::time::sleep(CALM).await;
        if client.stream.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    client.stream.read_to_end(&mut Vec::new()).await.unwrap();
    client.served.await.unwrap();
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn rests_do_not_lengthen_the_time_for_a_request() {
    assert!(patience("").await <= HEADER_TIMEOUT);
    let endless = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(100));
    assert!(patience(&endless).await <= HEADER_TIMEOUT + CALM * 4);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_ends_when_the_server_stops() {
    let mut client = Client::new(4096);
    client.ask(GREETING).await;
    client.body().await;
    tokio::time::sleep(CALM * 4).await;
    client.stop.cancel();
    let begun = tokio::time::Instant::now();
    client.served.await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(client.stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_of_what_hyper_had_not_read_when_a_second_poll_is_parked() {
    const OTHER: &str = "POST /bus/000/two/xhr HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    // So much that hyper reads more at a time than a fresh one does.
    const MANY: usize = 2000;
    let mut client = Client::new(1 << 20);
    let many = GREETING.repeat(MANY);
    client.ask(&[&many, POLL, POLL, OTHER, OTHER, &many].concat()).await;
    for _ in 0..MANY {
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
    }
    for expected in ["o\n", "a[\"late\"]\n", "o\n", "a[\"late\"]\n"] {
        assert_eq!(client.body().await, expected);
    }
    for _ in 0..MANY {
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
    }
}
