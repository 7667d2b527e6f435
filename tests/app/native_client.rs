//! The native client against the server as a whole: TLS, tokens in headers, and what the close
//! frame of a WebSocket says by itself.

use std::time::Duration;

use futures_util::StreamExt as _;
use trolleybus_client::{
    BusConsumer as _, Client, ConsumerOptions, EventBus as _, Options, Reconnect, State,
};
use trolleybus_tests::support::soon;

use super::auth::{guarded, token};
use super::tls::{Folder, Identity};
use super::{Server, config};

fn once() -> Options {
    Options::new().reconnect(Reconnect::never())
}

fn url(scheme: &str, server: &Server) -> String {
    format!("{scheme}://localhost:{}/eventbus", server.addr.port())
}

/// What the end of the client says: the code and the reason.
async fn end(client: &Client) -> (u16, String) {
    let mut states = client.states();
    loop {
        if let Some(State::Closed { code, reason }) = soon(states.next()).await {
            return (code, reason);
        }
    }
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_trusted_when_it_is_named() {
    let identity = Identity::new();
    let folder = Folder::new("native", &identity);
    let server = Server::start(folder.config()).await;
    let trusting = once().tls_roots(identity.certificate.as_bytes()).unwrap();
    let client = Client::with_options(&url("https", &server), trusting);
    let mut news = client.consumer("news");
    soon(news.completion()).await.unwrap();
    client.publish("news", "goal").unwrap();
    assert!(soon(news.next()).await.is_some());
    let stranger = Client::with_options(&url("https", &server), once());
    assert_eq!(end(&stranger).await.0, 2000);
    let other = once().tls_roots(Identity::new().certificate.as_bytes()).unwrap();
    assert_eq!(end(&Client::with_options(&url("wss", &server), other)).await.0, 2000);
}

#[tokio::test]
async fn what_is_no_certificate_is_refused() {
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(once().tls_roots(text.as_bytes()).is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_token_in_the_header_is_enough_where_envelopes_carry_none() {
    let server = Server::start(guarded(|auth| {
        (auth.required, auth.envelope) = (true, false);
    }))
    .await;
    let ada = token("ada", &[], 60);
    let showing = |in_header| {
        let ada = ada.clone();
        let given = move || {
            let ada = ada.clone();
            async move { Ok::<_, std::io::Error>(ada) }
        };
        let options = once().token_provider(given).token_in_header(in_header);
        Client::with_options(&url("http", &server), options)
    };
    let client = showing(true);
    let mut inbox = client.consumer("user.ada.inbox");
    soon(inbox.completion()).await.unwrap();
    client.publish("user.ada.inbox", 1_u8.to_string().as_str()).unwrap();
    assert!(soon(inbox.next()).await.is_some());
    assert_eq!(end(&showing(false)).await, (3003, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn too_big_a_message_is_the_end_by_the_close_frame_alone() {
    let mut config = config();
    config.sockjs.max_message_size = 1000;
    let server = Server::start(config).await;
    let client = Client::with_options(&url("http", &server), Options::new());
    soon(client.opened()).await.unwrap();
    client.publish("news", "x".repeat(2000).as_str()).unwrap();
    assert_eq!(end(&client).await.0, 1009);
}

#[tokio::test]
async fn a_drained_server_is_connected_to_again() {
    let server = Server::start(config()).await;
    let client = Client::with_options(&url("http", &server), Options::new());
    soon(client.opened()).await.unwrap();
    let mut states = client.states();
    server.stop.send(()).unwrap();
    loop {
        if let Some(State::Waiting { attempt, retry_in }) = soon(states.next()).await {
            assert_eq!(attempt, 1);
            assert!(retry_in < Duration::from_millis(3750), "{retry_in:?}");
            break;
        }
    }
}

#[tokio::test]
async fn a_pattern_hears_what_it_means() {
    let server = Server::start(config()).await;
    let client = Client::with_options(&url("http", &server), once());
    let mut news = client.consumer_with("news.*", ConsumerOptions::new().pattern());
    soon(news.completion()).await.unwrap();
    server.bus.publish("news.sport", "goal").unwrap();
    assert!(soon(news.next()).await.is_some());
}
