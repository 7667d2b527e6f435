//! Fields of a line of the log, without control characters: much of what is logged clients have
//! written, and a line break or a terminal's escape sequence among it would forge lines.

use std::fmt::{self, Debug, Write};

use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// `name=value` for each field, and the message as it is.
pub(super) fn plain() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let (begin, end) = match (field.name(), writer.has_ansi_escapes()) {
        ("message", _) => return write!(Escaped(writer), "{value:?}"),
        (_, true) => ("\x1b[3m", "\x1b[0m\x1b[2m=\x1b[0m"),
        (_, false) => ("", "="),
    };
    write!(writer, "{begin}{}{end}", field.name())?;
    write!(Escaped(writer), "{value:?}")
}

/// Passes text on with its control characters as Rust writes them in strings.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, control)) = rest.char_indices().find(|(_, c)| is_control(*c)) {
            self.0.write_str(&rest[..at])?;
            write!(self.0, "{}", control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

/// Also what ends a line for some readers, or turns the direction of the text around.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_clients_write_forges_no_line_and_moves_no_cursor() {
        let log = Captured::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(plain())
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let address = "a\n2026 ERROR forged\r\u{1b}[31m\u{9b}2J\u{202e}é";
            tracing::info!(%address, code = 7, word = "x\ty", "refused {address}");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let address = r"a\n2026 ERROR forged\r\u{1b}[31m\u{9b}2J\u{202e}é";
        let expected = format!("refused {address} address={address} code=7 word=\"x\\ty\"\n");
        assert!(text.ends_with(&expected), "{text}");
    }
}
