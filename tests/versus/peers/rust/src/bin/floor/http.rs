//! HTTP requests: the upgrade to a WebSocket, and an echo over SockJS's polling and streaming.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::find;
use sha1::{Digest as _, Sha1};

use super::Floor;

/// Who receives in a session, and what waits for it.
#[derive(Default)]
pub(super) struct Session {
    streaming: Option<usize>,
    polling: Option<usize>,
    waiting: Vec<u8>,
}

/// Does what the requests in `input` ask for, and says how many bytes at its end are no whole one.
pub(super) fn take(floor: &mut Floor, id: usize, mut input: &mut [u8]) -> usize {
    while let Some(head) = find(input, b"\r\n\r\n") {
        let len = header(&input[..head], "content-length").and_then(|len| len.parse().ok());
        let end = head + 4 + len.unwrap_or(0);
        if input.len() < end {
            break;
        }
        let (request, rest) = input.split_at_mut(end);
        let (head, body) = request.split_at(head + 4);
        answer(floor, id, head, body);
        input = rest;
    }
    input.len()
}

fn answer(floor: &mut Floor, id: usize, head: &[u8], body: &[u8]) {
    let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let Some(slash) = memchr::memrchr(b'/', path) else { return };
    let (session, transport) = path.split_at(slash);
    match transport {
        b"/xhr_send" => {
            write(floor, id, &[TAKEN]);
            echo(floor, session, body);
        }
        b"/xhr_streaming" => {
            floor.sessions.entry(session.to_vec()).or_default().streaming = Some(id);
            write(floor, id, &[STREAM, &[b'h'; 2048], b"\n\r\n2\r\no\n\r\n"]);
        }
        b"/xhr" => poll(floor, id, session),
        _ => {
            if let Some(key) = header(head, "sec-websocket-key") {
                upgrade(floor, id, key);
            }
        }
    }
}

const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\ncontent-type: text/plain;charset=UTF-8\r\n\r\n";
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/javascript;charset=UTF-8\r\n\
    transfer-encoding: chunked\r\n\r\n801\r\n";

fn upgrade(floor: &mut Floor, id: usize, key: &str) {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let accept = format!("sec-websocket-accept: {}\r\n\r\n", STANDARD.encode(digest));
    write(floor, id, &[UPGRADED, accept.as_bytes()]);
    floor.connections[id].is_websocket = true;
}

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n";

fn poll(floor: &mut Floor, id: usize, name: &[u8]) {
    let Some(session) = floor.sessions.get_mut(name) else {
        floor.sessions.insert(name.to_vec(), Session::default());
        return polled(floor, id, b"o\n");
    };
    match std::mem::take(&mut session.waiting) {
        waiting if waiting.is_empty() => session.polling = Some(id),
        waiting => polled(floor, id, &waiting),
    }
}

fn polled(floor: &mut Floor, id: usize, frames: &[u8]) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/javascript;charset=UTF-8\r\n\
         content-length: {}\r\n\r\n",
        frames.len()
    );
    write(floor, id, &[head.as_bytes(), frames]);
}

/// Sends the body of each envelope to its reply address; both stay quoted as they came.
fn echo(floor: &mut Floor, name: &[u8], upload: &[u8]) {
    let mut frame = b"a[".to_vec();
    let mut rest = upload;
    while let Some((body, address, behind)) = request(rest) {
        if frame.len() > 2 {
            frame.push(b',');
        }
        let parts: [&[u8]; 5] =
            [br#""{\"type\":\"rec\",\"address\":\""#, address, br#"\","#, body, br#"}""#];
        parts.into_iter().for_each(|part| frame.extend_from_slice(part));
        rest = behind;
    }
    if frame.len() == 2 {
        return;
    }
    frame.extend_from_slice(b"]\n");
    let Some(session) = floor.sessions.get_mut(name) else { return };
    if let Some(id) = session.streaming {
        let size = format!("{:x}\r\n", frame.len());
        write(floor, id, &[size.as_bytes(), &frame, b"\r\n"]);
    } else if let Some(id) = session.polling.take() {
        polled(floor, id, &frame);
    } else {
        session.waiting.extend_from_slice(&frame);
    }
}

/// The field `body` of the next envelope with its name, the reply address, and what is behind them.
fn request(upload: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const REPLY: &[u8] = br#"\"replyAddress\":\""#;
    let reply = find(upload, REPLY)?;
    let body = find(&upload[..reply], br#"\"body\":"#)
        .map_or(br#"\"body\":null"#.as_slice(), |at| &upload[at..reply - 1]);
    let behind = &upload[reply + REPLY.len()..];
    let end = memchr::memchr(b'\\', behind)?;
    Some((body, &behind[..end], &behind[end..]))
}

fn write(floor: &mut Floor, id: usize, parts: &[&[u8]]) {
    if let Some(output) = floor.output(id) {
        parts.iter().for_each(|part| output.extend_from_slice(part));
    }
}

/// The value of a header.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    lines.find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
