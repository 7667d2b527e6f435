//! `/healthz` and `/readyz`.

use trolleybus_tests::support::http::get;
use trolleybus_tests::support::soon;

use crate::server::{Server, config};

#[tokio::test]
async fn both_listeners_say_that_the_server_is_ready() {
    let server = Server::start(config()).await;
    for addr in [server.addr, server.admin] {
        let answer = get(addr, "/healthz").await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, "ok\n"));
        let ready = async {
            while get(addr, "/readyz").await.body != "ready\n" {
                tokio::task::yield_now().await;
            }
        };
        soon(ready).await;
    }
}

#[tokio::test]
async fn a_server_that_drains_is_alive_and_not_ready() {
    let server = Server::start(config()).await;
    // It does not answer the close, so the drain waits for it.
    let socket = server.socket().await;
    server.stop.send(()).unwrap();
    let draining = async {
        loop {
            let answer = get(server.admin, "/readyz").await;
            if answer.status() == 503 {
                return answer.body;
            }
        }
    };
    assert_eq!(soon(draining).await, "draining\n");
    assert_eq!(get(server.admin, "/healthz").await.status(), 200);
    assert_eq!(get(server.addr, "/readyz").await.body, "draining\n");
    drop(socket);
    soon(server.run).await.unwrap();
}

#[tokio::test]
async fn the_main_listener_has_only_what_it_was_told_to_have() {
    let mut config = config();
    config.admin.probes_on_server = false;
    let server = Server::start(config).await;
    for path in ["/healthz", "/readyz", "/metrics", "/sockets", "/admin/metrics"] {
        assert_eq!(get(server.addr, path).await.status(), 404, "{path}");
    }
}
