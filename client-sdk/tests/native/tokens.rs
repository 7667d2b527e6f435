//! Clients that say who they are.

use futures_util::StreamExt;
use trolleybus::access::{AuthFailure, Authenticating, Authenticator, Principal};
use trolleybus::bridge::{Authentication, BridgeOptions, Permitted};
use trolleybus_client::{BusConsumer, Client, Error, ErrorKind, EventBus, Options, State};

use super::server::{Server, quick, soon, state};

/// Trusts `fresh…`; `old` has expired.
#[derive(Debug)]
struct Fresh;

impl Authenticator for Fresh {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            if token.starts_with("fresh") {
                return Ok(Principal::new(token));
            }
            Err(if token == "old" { AuthFailure::Expired } else { AuthFailure::Invalid })
        })
    }
}

/// Gives the tokens in turn, the last one for ever.
fn tokens(tokens: &'static [&'static str]) -> Options {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    quick().token_provider(move || {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = tokens[at.min(tokens.len() - 1)];
        async move { Ok::<_, Error>(token.to_owned()) }
    })
}

fn own_inbox() -> Server {
    let rule = || Permitted::address("user.${sub}");
    let rules = BridgeOptions::new().permit_inbound(rule()).permit_outbound(rule());
    Server::with(rules, Some(Authentication::new(std::sync::Arc::new(Fresh))))
}

#[tokio::test]
async fn rules_see_who_the_token_names() {
    let server = own_inbox();
    let client = Client::with_options(&server.url(), tokens(&["fresh"]));
    let mut own = client.consumer("user.fresh");
    soon(own.completion()).await.unwrap();
    let error = soon(client.consumer("user.other").completion()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused(_)));
    server.bus.publish("user.fresh", "hello").unwrap();
    assert!(soon(own.next()).await.is_some());
}

#[tokio::test]
async fn expired_token_is_replaced_by_a_fresh_one() {
    let server = own_inbox();
    let client = Client::with_options(&server.url(), tokens(&["old", "fresh"]));
    let mut own = client.consumer("user.fresh");
    soon(async {
        // The first connection may have registered before its token was turned down.
        while own.completion().await.is_err() {
            state(&client, State::is_open).await;
        }
    })
    .await;
    server.bus.publish("user.fresh", "hello").unwrap();
    assert!(soon(own.next()).await.is_some());
}
