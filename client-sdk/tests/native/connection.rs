//! The connection: lost and found again, closed, refused.

use futures_util::StreamExt;
use trolleybus_client::{
    BusMessage, Client, ErrorKind, EventBus, Options, Reconnect, State, Transport,
};

use super::server::{Server, settled, soon};

#[tokio::test]
async fn consumers_are_registered_again_after_a_reconnect() {
    let server = Server::start();
    let client = server.open().await;
    let mut news = client.consumer("news");
    settled(&client).await;
    client.reconnect();
    client.publish("news", "after").unwrap();
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "after");
}

#[tokio::test]
async fn server_that_comes_back_is_found_and_requests_do_not_hang() {
    let server = Server::start();
    let client = server.open().await;
    let mut states = client.states();
    let mut news = client.consumer("news");
    let _silent = client.consumer_fn("silent", drop);
    settled(&client).await;
    let pending = client.request("silent", "x");
    settled(&client).await;
    let address = server.address;
    drop(server);
    let error = soon(pending).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    client.publish("news", "waiting").unwrap();
    let server = soon(async {
        loop {
            match std::net::TcpListener::bind(address) {
                Ok(listener) => return Server::start_on(listener),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "waiting");
    let open = State::Open { transport: Transport::WebSocket };
    soon(async { while states.next().await.unwrap() != open {} }).await;
    drop(server.bus.clone());
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_connection_and_says_what_was_left() {
    let server = Server::start();
    let mut news = server.bus.consumer("news");
    let client = server.open().await;
    let mut states = client.states();
    client.publish("news", "last words").unwrap();
    drop(client);
    let message = soon(news.next()).await.unwrap();
    assert_eq!(message.body().as_text().unwrap(), "last words");
    let closed = soon(async {
        loop {
            match states.next().await.unwrap() {
                State::Closed { code, .. } => return code,
                _ => continue,
            }
        }
    });
    assert_eq!(closed.await, 1000);
    assert_eq!(soon(states.next()).await, None);
}

#[tokio::test]
async fn close_ends_consumers_and_refuses_messages() {
    let server = Server::start();
    let client = server.open().await;
    let mut news = client.consumer("news");
    client.close();
    assert!(soon(news.next()).await.is_none());
    assert_eq!(client.publish("news", "x").unwrap_err().kind(), ErrorKind::Closed);
    assert!(soon(client.opened()).await.is_err());
    assert!(soon(client.consumer("late").next()).await.is_none());
    let error = soon(client.request("news", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn refused_connection_closes_when_no_reconnect_is_wanted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/eventbus", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::with_options(&url, Options::new().reconnect(Reconnect::never()));
    assert_eq!(soon(client.opened()).await.unwrap_err().kind(), ErrorKind::Closed);
    let client = Client::connect("no url");
    assert!(matches!(client.state(), State::Closed { code: 1002, .. }));
}
