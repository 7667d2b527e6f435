//! Who may what: nothing, until a rule says so.

use serde_json::{Value, json};
use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
use trolleybus::{Bus, EventBus as _};

use crate::client::Server;

fn fields(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn nothing_is_permitted_by_default() {
    let server = Server::start(BridgeOptions::new()).await;
    let mut client = server.client().await;
    for operation in ["send", "publish", "register", "unregister"] {
        client.send(json!({"type": operation, "address": "a", "body": 1})).await;
        assert_eq!(client.refusal().await, "access_denied", "{operation}");
    }
}

#[tokio::test]
async fn inbound_rules_do_not_open_outbound_nor_the_other_way() {
    let options = BridgeOptions::new()
        .permit_inbound(Permitted::address("in"))
        .permit_outbound(Permitted::regex(r"out\..+"));
    let server = Server::start(options).await;
    let mut client = server.client().await;
    for (operation, address, is_permitted) in [
        ("send", "in", true),
        ("publish", "in", true),
        ("register", "in", false),
        ("send", "out.a", false),
        ("publish", "out.a", false),
        ("register", "out.a", true),
        ("register", "out.", false),
        ("register", "an.out.a", false),
    ] {
        client.send(json!({"type": operation, "address": address, "body": 1})).await;
        match is_permitted {
            true => client.settle().await,
            false => assert_eq!(client.refusal().await, "access_denied", "{operation} {address}"),
        }
    }
}

#[tokio::test]
async fn a_match_looks_at_inbound_bodies() {
    let rule = Permitted::address("a").matching(fields(&json!({"kind": "tea", "cup": {"n": 1}})));
    let server = Server::start(BridgeOptions::new().permit_inbound(rule)).await;
    let mut client = server.client().await;
    for (body, is_permitted) in [
        (json!({"kind": "tea", "cup": {"n": 1, "x": 0}, "y": 0}), true),
        (json!({"kind": "tea"}), false),
        (json!({"kind": "tea", "cup": null}), false),
        (json!({"kind": "tea", "cup": {"n": 1.0}}), false),
        (json!(null), false),
        (json!(["tea"]), false),
    ] {
        client.send(json!({"type": "publish", "address": "a", "body": body})).await;
        match is_permitted {
            true => client.settle().await,
            false => assert_eq!(client.refusal().await, "access_denied", "{body}"),
        }
    }
}

#[tokio::test]
async fn a_match_looks_at_each_outbound_body_and_drops_the_others_in_silence() {
    let rule = Permitted::address("a").matching(fields(&json!({"for": "all"})));
    let server = Server::start(BridgeOptions::new().permit_outbound(rule)).await;
    let mut client = server.client().await;
    client.register("a").await;
    for (number, audience) in [(1, "all"), (2, "staff"), (3, "all")] {
        server.bus.publish("a", json!({"for": audience, "n": number})).unwrap();
    }
    server.bus.publish("a", "text").unwrap();
    assert_eq!(client.receive().await["body"]["n"], 1);
    assert_eq!(client.receive().await["body"]["n"], 3);
    client.settle().await;
}

#[tokio::test]
async fn a_required_authority_is_held_by_nobody_without_authentication() {
    let rule = || Permitted { required_authority: Some("admin".into()), ..Permitted::address("a") };
    let options = BridgeOptions::new().permit_inbound(rule()).permit_outbound(rule());
    let server = Server::start(options).await;
    let mut client = server.client().await;
    client.send(json!({"type": "publish", "address": "a", "body": 1})).await;
    assert_eq!(client.refusal().await, "not_logged_in");
    client.register("a").await;
    server.bus.publish("a", &1).unwrap();
    client.settle().await;
}

#[test]
fn wrong_rules_do_not_make_a_bridge() {
    let options = BridgeOptions::new().permit_outbound(Permitted::regex("("));
    let error = Bridge::new(Bus::new(), options).unwrap_err();
    assert_eq!(error.key, "outbound_permitted[0].address_regex");
}
