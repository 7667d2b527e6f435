//! How each HTTP transport packs a frame, and what it sends before the first.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::json;

/// Longest JSONP or htmlfile callback name, in bytes.
pub const MAX_CALLBACK_LENGTH: usize = 32;

/// What opens an XHR stream: enough bytes for browsers to stop waiting for more.
#[must_use]
pub fn xhr_prelude() -> String {
    let mut prelude = "h".repeat(2048);
    prelude.push('\n');
    prelude
}

/// What opens an event stream.
pub const EVENT_SOURCE_PRELUDE: &str = "\r\n";

/// A frame in an XHR body, polled or streamed.
pub fn xhr(out: &mut String, frame: &str) {
    out.push_str(frame);
    out.push('\n');
}

/// A frame as a server-sent event. The client decodes percent escapes, so `%` itself must be one.
pub fn event_source(out: &mut String, frame: &str) {
    out.reserve(frame.len() + 10);
    out.push_str("data: ");
    let mut rest = frame;
    while let Some(at) = rest.find(['%', '\r', '\n', '\0']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'%' => "%25",
            b'\r' => "%0D",
            b'\n' => "%0A",
            _ => "%00",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push_str("\r\n\r\n");
}

/// The head of the streamed page; `callback` must have passed [`is_callback`].
#[must_use]
pub fn html_file_prelude(callback: &str) -> String {
    let mut page = format!(
        "<!doctype html>\n<html><head>\n  \
         <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n  \
         <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n\
         </head><body><h2>Don't panic!</h2>\n  <script>\n    \
         document.domain = document.domain;\n    \
         var c = parent.{callback};\n    c.start();\n    \
         function p(d) {{c.message(d);}};\n    \
         window.onload = function() {{c.stop();}};\n  </script>"
    );
    let padding = 1024_usize.saturating_sub(page.len()) + 1;
    page.push_str(&" ".repeat(padding));
    page.push_str("\r\n\r\n");
    page
}

/// A frame as a script in the streamed page. `<` is escaped, or a message could end the script.
pub fn html_file(out: &mut String, frame: &str) {
    out.push_str("<script>\np(");
    push_literal(out, frame);
    out.push_str(");\n</script>\r\n");
}

/// A frame as a script; `callback` must have passed [`is_callback`].
pub fn jsonp(out: &mut String, callback: &str, frame: &str) {
    let _ = write!(out, "/**/{callback}(");
    push_literal(out, frame);
    out.push_str(");\r\n");
}

fn push_literal(out: &mut String, frame: &str) {
    let literal = json::quote(frame);
    for (index, part) in literal.split('<').enumerate() {
        if index > 0 {
            out.push_str("\\u003c");
        }
        out.push_str(part);
    }
}

/// Whether `name`, percent-decoded, may be put into a script.
#[must_use]
pub fn is_callback(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= MAX_CALLBACK_LENGTH && name.bytes().all(fits)
}

/// The page that iframe transports load; `client_url` is where it takes the client script from.
#[must_use]
pub fn iframe_page(client_url: &str) -> String {
    let client_url = client_url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n  \
         <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n  \
         <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n  \
         <script src=\"{client_url}\"></script>\n  <script>\n    \
         document.domain = document.domain;\n    SockJS.bootstrap_iframe();\n  </script>\n\
         </head>\n<body>\n  <h2>Don't panic!</h2>\n  \
         <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>\n\
         </body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(pack: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        pack(&mut out);
        out
    }

    #[test]
    fn percent_signs_survive_the_event_source_client() {
        let event = packed(|out| event_source(out, "a[\"%20\r\n\0\"]"));
        assert_eq!(event, "data: a[\"%2520%0D%0A%00\"]\r\n\r\n");
    }

    #[test]
    fn a_message_cannot_end_the_script() {
        let script = packed(|out| html_file(out, r#"a["</script>"]"#));
        assert_eq!(script.matches("</script>").count(), 1);
        assert!(script.contains(r#"p("a[\"\u003c/script>\"]");"#), "{script}");
    }

    #[test]
    fn jsonp_calls_the_callback() {
        assert_eq!(packed(|out| jsonp(out, "_jp.x", "o")), "/**/_jp.x(\"o\");\r\n");
    }

    #[test]
    fn preludes_are_long_enough() {
        assert!(html_file_prelude("c").len() > 1024);
        assert_eq!(xhr_prelude().len(), 2049);
    }

    #[test]
    fn callbacks_are_names() {
        assert!(is_callback("_jp.a-Z9"));
        for name in ["a(", "a b", "é", "</script>", "x\n", &"x".repeat(33)] {
            assert!(!is_callback(name), "{name}");
        }
    }
}
