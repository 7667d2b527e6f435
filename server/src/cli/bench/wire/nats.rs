//! The NATS protocol, as much of it as a load needs: messages out of what the server says.

use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes, BytesMut};

/// Said first. No echo would be right for a bus, but a request here is answered by its sender.
pub(super) const CONNECT: &str = concat!(
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,\"headers\":true,",
    "\"lang\":\"bench\",\"version\":\"1\",\"protocol\":1}\r\n"
);

/// What the server says that a client has to do something about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Message(Bytes),
    Ping,
    Pong,
    Info,
}

/// Bytes that came in and are not understood yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: BytesMut,
}

impl Reader {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next thing said, once all of it is there.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Said>> {
        loop {
            let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") else {
                return Ok(None);
            };
            let line = &self.buffer[..end];
            let said = match line.split(|byte| *byte == b' ').next() {
                Some(b"MSG") => return self.message(end),
                Some(b"PING") => Some(Said::Ping),
                Some(b"PONG") => Some(Said::Pong),
                Some(b"INFO") => Some(Said::Info),
                Some(b"+OK") => None,
                _ => bail!("the server said {}", String::from_utf8_lossy(line)),
            };
            self.buffer.advance(end + 2);
            if said.is_some() {
                return Ok(said);
            }
        }
    }

    /// `MSG subject sid [reply] length`, and the body behind that line.
    fn message(&mut self, end: usize) -> anyhow::Result<Option<Said>> {
        let line = std::str::from_utf8(&self.buffer[..end])?;
        let length: Option<usize> = line.rsplit(' ').next().and_then(|text| text.parse().ok());
        let length = length.with_context(|| format!("no length in `{line}`"))?;
        if self.buffer.len() < end + 2 + length + 2 {
            return Ok(None);
        }
        self.buffer.advance(end + 2);
        let body = self.buffer.split_to(length).freeze();
        self.buffer.advance(2);
        Ok(Some(Said::Message(body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_put_together_from_any_pieces() {
        let text =
            b"INFO {}\r\n+OK\r\nMSG a.b 1 4\r\n\r\n12\r\nPING\r\nMSG a 2 reply 0\r\n\r\nPONG\r\n";
        let message = |body: &'static [u8]| Said::Message(Bytes::from_static(body));
        let expected = [Said::Info, message(b"\r\n12"), Said::Ping, message(b""), Said::Pong];
        for size in 1..text.len() {
            let (mut reader, mut said) = (Reader::default(), Vec::new());
            for piece in text.chunks(size) {
                reader.push(piece);
                while let Some(next) = reader.next().unwrap() {
                    said.push(next);
                }
            }
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn an_error_of_the_server_is_told() {
        let mut reader = Reader::default();
        reader.push(b"-ERR 'Authorization Violation'\r\n");
        assert!(reader.next().unwrap_err().to_string().contains("Authorization"));
    }
}
