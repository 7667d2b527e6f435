//! Responses that go on and on.

use super::*;

const STREAM: &str =
    "POST /bus/000/one/xhr_streaming HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
/// More than goes into any buffer on the way.
const MANY: usize = 20_000;

/// Sockets that say numbers; a stream of theirs ends after `response_limit` bytes.
fn counting(response_limit: usize) -> SockJs {
    let max_outbox_size = 100 * MANY;
    let options = Options { response_limit, max_outbox_size, ..Options::default() };
    SockJs::new(options, |mut socket: Socket| async move {
        for number in 0..MANY {
            socket.send(number.to_string()).unwrap();
            if number % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        while socket.recv().await.is_some() {}
    })
}

impl Client {
    /// The head of a stream, which is chunked.
    async fn head(&mut self) {
        let head = self.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    }

    /// The next chunk, or none after the last.
    async fn chunk(&mut self) -> Option<String> {
        let size = self.until("\r\n").await;
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        while self.text.len() < size + 2 {
            let mut bytes = vec![0; 4096];
            let count = self.stream.read(&mut bytes).await.unwrap();
            assert_ne!(count, 0, "the stream broke off");
            self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        let rest = self.text.split_off(size + 2);
        let mut chunk = std::mem::replace(&mut self.text, rest);
        assert_eq!(chunk.split_off(size), "\r\n");
        (size > 0).then_some(chunk)
    }

    /// Prelude and opening frame of a stream.
    async fn opened(&mut self) {
        self.head().await;
        assert_eq!(self.chunk().await.unwrap().len(), 2049);
        assert_eq!(self.chunk().await.as_deref(), Some("o\n"));
    }

    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        while let Some(chunk) = self.chunk().await {
            rest.push_str(&chunk);
        }
        rest
    }
}

/// The numbers in frames of messages.
fn numbers(frames: &str) -> impl Iterator<Item = usize> {
    let messages = frames.lines().filter_map(|line| line.strip_prefix("a["));
    messages.flat_map(|list| list.split('"').filter_map(|text| text.parse().ok()))
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_its_messages_and_an_end_and_the_connection_goes_on() {
    let mut client = Client::new(4096);
    for session in ["one", "two", "three"] {
        client.ask(&STREAM.replace("one", session)).await;
        client.opened().await;
        assert_eq!(client.chunk().await.as_deref(), Some("a[\"late\"]\n"));
        assert_eq!(client.chunk().await.as_deref(), Some("h\n"));
        client.sockjs.close_all(3000, "Go away!");
        assert_eq!(client.rest().await, "c[3000,\"Go away!\"]\n");
        client.ask(GREETING).await;
        assert_eq!(client.body().await, "Welcome to SockJS!\n");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_during_a_stream_are_answered_after_it() {
    for pause in [Duration::ZERO, LATE / 2] {
        let mut client = Client::new(4096);
        client.ask(STREAM).await;
        tokio::time::sleep(pause).await;
        for piece in GREETING.repeat(3).as_bytes().chunks(7) {
            client.stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        client.opened().await;
        assert_eq!(client.chunk().await.as_deref(), Some("a[\"late\"]\n"));
        client.sockjs.close_all(3000, "Go away!");
        client.rest().await;
        for _ in 0..3 {
            assert_eq!(client.body().await, "Welcome to SockJS!\n");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_during_its_stream_loses_its_session() {
    for is_reading in [true, false] {
        let mut client = Client::new(4096);
        client.ask(STREAM).await;
        if is_reading {
            client.opened().await;
        }
        tokio::time::sleep(LATE / 2).await;
        assert_eq!(client.sockjs.open_sockets(), 1);
        // Not even that it is heard no more.
        client.stream.shutdown().await.unwrap();
        client.served.await.unwrap();
        tokio::time::sleep(LATE).await;
        assert_eq!(client.sockjs.open_sockets(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_little_at_a_time_gets_all_in_order() {
    for room in [1, 100, 5_000] {
        let mut client = Client::of(counting(usize::MAX), room);
        client.ask(STREAM).await;
        client.opened().await;
        let mut next = 0;
        while next < MANY {
            let chunk = client.chunk().await.unwrap_or_else(|| panic!("ends at {next}"));
            for number in numbers(&chunk) {
                assert_eq!(number, next);
                next += 1;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_full_is_followed_by_another() {
    let mut client = Client::of(counting(1000), 300);
    client.ask(STREAM).await;
    client.opened().await;
    let (mut next, mut streams) = (0, 1);
    while next < MANY {
        let rest = client.rest().await;
        for number in numbers(&rest) {
            assert_eq!(number, next);
            next += 1;
        }
        client.ask(STREAM).await;
        client.head().await;
        assert_eq!(client.chunk().await.unwrap().len(), 2049);
        streams += 1;
    }
    assert!(streams > 2, "{streams}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_a_stream_ends_after_it_when_the_server_stops() {
    let mut client = Client::new(4096);
    client.ask(STREAM).await;
    client.opened().await;
    client.stop.cancel();
    assert_eq!(client.chunk().await.as_deref(), Some("a[\"late\"]\n"));
    client.sockjs.close_all(3000, "Go away!");
    assert_eq!(client.rest().await, "c[3000,\"Go away!\"]\n");
    client.served.await.unwrap();
    assert_eq!(client.stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_wants_no_further_answer_gets_none() {
    let mut client = Client::new(4096);
    client.ask(&STREAM.replace("host: a", "host: a\r\nconnection: close")).await;
    client.opened().await;
    assert_eq!(client.chunk().await.as_deref(), Some("a[\"late\"]\n"));
    client.sockjs.close_all(3000, "Go away!");
    assert_eq!(client.rest().await, "c[3000,\"Go away!\"]\n");
    client.served.await.unwrap();
    assert_eq!(client.stream.read(&mut [0]).await.unwrap(), 0);
}
