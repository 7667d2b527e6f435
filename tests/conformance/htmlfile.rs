//! The page that never ends loading.

use crate::support::http::{get, post, stream};
use crate::support::server::Server;

const STREAM: &str = "/sockjs/000/f/htmlfile?c=%63allback";
const SEND: &str = "/sockjs/000/f/xhr_send";

#[tokio::test]
async fn frames_are_scripts_after_a_long_head() {
    let server = Server::echo().await;
    let (mut stream, head) = stream(server.addr, "GET", STREAM).await;
    assert_eq!(head.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(head.header("access-control-allow-origin"), None);
    let prelude = stream.chunk().await.unwrap();
    assert!(prelude.len() > 1024 && prelude.ends_with("\r\n\r\n"));
    assert!(prelude.contains("var c = parent.callback;"), "{prelude}");
    assert_eq!(stream.chunk().await.unwrap(), "<script>\np(\"o\");\n</script>\r\n");
    post(server.addr, SEND, "[\"x\"]").await;
    let script = "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n";
    assert_eq!(stream.chunk().await.unwrap(), script);
}

#[tokio::test]
async fn a_message_cannot_break_out_of_its_script() {
    let server = Server::echo().await;
    let (mut stream, _) = stream(server.addr, "GET", STREAM).await;
    stream.chunk().await;
    stream.chunk().await;
    post(server.addr, SEND, "[\"</script><script>alert(1)</script>\"]").await;
    assert_eq!(stream.chunk().await.unwrap().matches("<script>").count(), 1);
}

#[tokio::test]
async fn a_callback_is_needed_and_checked_before_a_session_is_made() {
    let server = Server::echo().await;
    let answer = get(server.addr, "/sockjs/000/f/htmlfile").await;
    assert_eq!(answer.status(), 500);
    assert!(answer.body.contains("\"callback\" parameter required"));
    for callback in ["%20", "a(", "%3C/script%3E", "a%00", "%C3%BC"] {
        let answer = get(server.addr, &format!("/sockjs/000/f/htmlfile?c={callback}")).await;
        assert_eq!(answer.status(), 500, "{callback}");
        assert!(answer.body.contains("invalid \"callback\" parameter"), "{callback}");
    }
    assert_eq!(server.service.open_sockets(), 0);
}
