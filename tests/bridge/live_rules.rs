//! Rules that change while sockets are open.

use serde_json::json;
use trolleybus::EventBus as _;
use trolleybus::bridge::{BridgeOptions, Permitted};

use crate::client::{Server, open};

#[tokio::test]
async fn what_clients_send_is_judged_by_the_rules_of_the_moment() {
    let server = Server::start(BridgeOptions::new()).await;
    let mut client = server.client().await;
    let publish = json!({"type": "publish", "address": "a", "body": 1});
    client.send(publish.clone()).await;
    assert_eq!(client.refusal().await, "access_denied");
    server.bridge.replace_rules(&[Permitted::address("a")], &[]).unwrap();
    client.send(publish.clone()).await;
    client.settle().await;
    server.bridge.replace_rules(&[], &[]).unwrap();
    client.send(publish).await;
    assert_eq!(client.refusal().await, "access_denied");
}

#[tokio::test]
async fn registrations_stand_and_are_judged_anew() {
    let server = Server::start(open()).await;
    let mut client = server.client().await;
    for address in ["a", "b"] {
        client.register(address).await;
    }
    let pattern = json!({"type": "register", "address": "p.*", "pattern": true});
    client.send(pattern).await;
    client.settle().await;
    let publish = || {
        for address in ["a", "b", "p.x", "p.y"] {
            server.bus.publish(address, address).unwrap();
        }
    };
    let news = [Permitted::address("b"), Permitted::address("p.y")];
    server.bridge.replace_rules(&[], &news).unwrap();
    publish();
    assert_eq!(client.receive().await["body"], "b");
    assert_eq!(client.receive().await["body"], "p.y");
    client.settle().await;
    server.bridge.replace_rules(&[], &[]).unwrap();
    publish();
    client.settle().await;
    server.bridge.replace_rules(&[], &[Permitted::all()]).unwrap();
    publish();
    for address in ["a", "b", "p.x", "p.y"] {
        assert_eq!(client.receive().await["body"], address);
    }
    // A registration under the new rules stands beside those of the old ones.
    client.register("c").await;
    server.bus.publish("c", "c").unwrap();
    assert_eq!(client.receive().await["body"], "c");
}

#[tokio::test]
async fn a_rule_that_looks_at_bodies_may_take_the_place_of_one_that_does_not() {
    let server = Server::start(open()).await;
    let mut client = server.client().await;
    client.register("a").await;
    let fields = json!({"for": "all"}).as_object().unwrap().clone();
    server.bridge.replace_rules(&[], &[Permitted::all().matching(fields)]).unwrap();
    for audience in ["staff", "all"] {
        server.bus.publish("a", json!({"for": audience})).unwrap();
    }
    assert_eq!(client.receive().await["body"]["for"], "all");
    client.settle().await;
}

#[tokio::test]
async fn rules_that_make_no_sense_change_nothing() {
    let server = Server::start(open()).await;
    let mut client = server.client().await;
    let error = server.bridge.replace_rules(&[], &[Permitted::regex("(")]).unwrap_err();
    assert_eq!(error.key, "outbound_permitted[0].address_regex");
    client.register("a").await;
    server.bus.publish("a", &1).unwrap();
    assert_eq!(client.receive().await["body"], 1);
}
