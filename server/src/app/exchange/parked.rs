//! A connection while nothing happens on it.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::sleep;

use super::{Exchange, Stage, put};
use crate::app::http::Serving;
use crate::app::rewind::Rewind;
use crate::sockjs::{Answer, Waiting};

/// Any request will do: whatever is read next is handed the answer.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

/// A connection without hyper.
pub(super) struct Parked<S> {
    pub(super) stream: Rewind<S>,
    /// What hyper has read and not looked at.
    pub(super) read: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Parked<S> {
    /// The stream, for a fresh hyper.
    pub(super) fn rewound(mut self) -> Rewind<S> {
        self.stream.rewind([&self.read, &[]]);
        self.stream
    }

    /// Waits for a request; gives none when there will be none.
    pub(super) async fn read(mut self, serving: &Serving) -> Option<Rewind<S>> {
        let is_over = self.read.is_empty()
            && tokio::select! {
                read = self.read_more() => read.map(|()| false)?,
                () = sleep(serving.limits.header_timeout) => true,
                () = serving.stop.cancelled() => true,
            };
        if is_over {
            self.stream.shutdown().await.ok();
            return None;
        }
        Some(self.rewound())
    }

    /// Waits until the poll has its answer or hyper has something else to do; gives none when the
    /// client has gone.
    pub(super) async fn wait(
        mut self,
        mut waiting: Waiting,
        exchange: &Exchange,
    ) -> Option<Rewind<S>> {
        let answer = if self.read.is_empty() {
            tokio::select! {
                biased;
                response = &mut waiting => Answer::Ready(response),
                read = self.read_more() => {
                    read?;
                    Answer::Waiting(waiting)
                }
                () = exchange.serving.stop.cancelled() => Answer::Waiting(waiting),
            }
        } else {
            Answer::Waiting(waiting)
        };
        put(&exchange.found, answer);
        exchange.enter(Stage::Found);
        self.stream.rewind([STAND_IN, &self.read]);
        Some(self.stream)
    }

    /// # Cancel safety
    /// Nothing is lost.
    async fn read_more(&mut self) -> Option<()> {
        let mut bytes = [0; 16];
        let count = self.stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        self.read = Bytes::copy_from_slice(&bytes[..count]);
        Some(())
    }
}
