//! The command line that touches the page from a shell.

use super::choice::ServedBy;

/// Where the command connects to when it is not told.
const DEFAULT_ORIGIN: &str = "http://127.0.0.1:8080";

/// Publishes a greeting to the page that came from `origin`.
pub(crate) fn publish_command(origin: &str) -> String {
    let address = ServedBy::Server.response_address();
    let command = format!("trolleybus publish {address} '\"hello from a shell\"'");
    match origin {
        "" | DEFAULT_ORIGIN => command,
        other => format!("{command} --url {other}/eventbus"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_said_where_it_is_not_the_default() {
        let short = r#"trolleybus publish demo.response '"hello from a shell"'"#;
        assert_eq!(publish_command(DEFAULT_ORIGIN), short);
        let elsewhere = publish_command("http://127.0.0.1:4711");
        assert_eq!(elsewhere, format!("{short} --url http://127.0.0.1:4711/eventbus"));
    }
}
