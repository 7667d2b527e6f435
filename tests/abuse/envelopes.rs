//! Hostile envelopes.

use serde_json::json;

use crate::victim::{Victim, say, settle};

/// Says this text and gives the words of all refusals.
async fn refusals(victim: &Victim, texts: &[String]) -> Vec<String> {
    let mut attacker = victim.attacker().await;
    for text in texts {
        attacker.send(&json!([text]).to_string()).await;
    }
    let heard = settle(&mut attacker).await;
    heard.iter().map(|envelope| envelope["body"].as_str().unwrap_or("?").to_owned()).collect()
}

#[tokio::test]
async fn deep_json_is_refused() {
    let mut victim = Victim::start().await;
    let deep = |open: &str, close: &str| open.repeat(3000) + &close.repeat(3000);
    let envelope = |body: &str| format!(r#"{{"type":"publish","address":"x","body":{body}}}"#);
    let texts = [
        envelope(&deep("[", "]")),
        envelope(&deep("{\"a\":", "}")),
        deep("[", ""),
        "{".repeat(9000),
    ];
    assert_eq!(refusals(&victim, &texts).await, ["invalid_json"; 4]);
    victim.serves().await;
}

#[tokio::test]
async fn keys_that_collide_or_repeat_cost_nothing() {
    let mut victim = Victim::start().await;
    let members: Vec<String> = (0..2000).map(|n| format!("\"k{}\":{n}", n % 3)).collect();
    let members = members.join(",");
    let headers: Vec<String> = (0..1500).map(|n| format!("\"{n}\":\"v\"")).collect();
    let texts = [
        format!(r#"{{"type":"publish","address":"x","body":{{{members}}}}}"#),
        format!(r#"{{{members},"type":"publish","address":"x"}}"#),
        format!(r#"{{"type":"publish","address":"x","headers":{{{}}}}}"#, headers.join(",")),
    ];
    assert!(refusals(&victim, &texts).await.is_empty());
    victim.serves().await;
}

#[tokio::test]
async fn header_injection_is_refused() {
    let mut victim = Victim::start().await;
    let bad = [
        json!({"h": "a\r\nSet-Cookie: b"}),
        json!({"a\r\nb": "c"}),
        json!({"h": "a\0b"}),
        json!({"": "x"}),
    ];
    let envelope =
        |headers| json!({"type": "publish", "address": "x", "headers": headers}).to_string();
    let texts = bad.map(envelope);
    assert_eq!(refusals(&victim, &texts).await, ["invalid_headers"; 4]);
    victim.serves().await;
}

#[tokio::test]
async fn addresses_may_hold_anything_and_break_nothing() {
    let mut victim = Victim::start().await;
    let mut attacker = victim.attacker().await;
    for address in
        ["a\r\nSet-Cookie: b", "\0", "</script>", "\u{2028}", "__proto__", "../../etc", "a\"b\\c"]
    {
        say(&mut attacker, &json!({"type": "register", "address": address})).await;
        say(&mut attacker, &json!({"type": "publish", "address": address, "body": 1})).await;
        let heard = settle(&mut attacker).await;
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!(heard[0]["address"], address);
    }
    victim.serves().await;
}

#[tokio::test]
async fn registrations_are_bounded_and_go_with_their_socket() {
    let mut victim = Victim::start().await;
    let mut attacker = victim.attacker().await;
    for number in 0..1100 {
        say(&mut attacker, &json!({"type": "register", "address": format!("a{number}")})).await;
    }
    let heard = settle(&mut attacker).await;
    assert_eq!(heard.len(), 100);
    assert!(heard.iter().all(|envelope| envelope["body"] == "max_handlers_reached"));
    assert_eq!(victim.bus.stats().registrations, 1001);
    drop(attacker);
    victim.is_left_alone().await;
    victim.serves().await;
}

/// Each pattern may begin anywhere, and each word of the address fits each of theirs.
#[tokio::test]
async fn patterns_full_of_wildcards_hold_nobody_up() {
    let mut victim = Victim::start().await;
    let mut attacker = victim.attacker().await;
    for number in 0..1000 {
        let word = |bit: u32| if number >> (bit % 10) & 1 == 0 { "#.a" } else { "#.*" };
        let words: Vec<_> = (0..31).map(word).collect();
        let pattern = words.join(".") + ".b";
        say(&mut attacker, &json!({"type": "register", "address": pattern, "pattern": true})).await;
    }
    for words in [15_000, 63] {
        let address = vec!["a"; words].join(".");
        say(&mut attacker, &json!({"type": "publish", "address": address, "body": 1})).await;
    }
    assert!(settle(&mut attacker).await.is_empty());
    assert_eq!(victim.bus.stats().registrations, 1001);
    victim.serves().await;
    drop(attacker);
    victim.is_left_alone().await;
}

#[tokio::test]
async fn requests_that_nobody_answers_are_bounded() {
    let mut victim = Victim::start().await;
    let mut attacker = victim.attacker().await;
    say(&mut attacker, &json!({"type": "register", "address": "hole"})).await;
    for number in 0..1200 {
        let label = format!("r{number}");
        say(&mut attacker, &json!({"type": "send", "address": "hole", "replyAddress": label}))
            .await;
    }
    let heard = settle(&mut attacker).await;
    let refused = |envelope: &&serde_json::Value| envelope["body"] == "max_handlers_reached";
    assert_eq!(heard.iter().filter(refused).count(), 201);
    victim.serves().await;
}

#[tokio::test]
async fn a_flood_of_messages_disturbs_nobody() {
    let mut victim = Victim::start().await;
    let mut attacker = victim.attacker().await;
    let batch: Vec<String> = (0..100)
        .map(|n| json!({"type": "publish", "address": "flood", "body": n}).to_string())
        .collect();
    let batch = json!(batch).to_string();
    for _ in 0..50 {
        attacker.send(&batch).await;
    }
    victim.serves().await;
    settle(&mut attacker).await;
    victim.serves().await;
}

#[tokio::test]
async fn a_flood_at_a_client_that_does_not_read_ends_that_client_alone() {
    let mut victim = Victim::start().await;
    let mut sleeper = victim.attacker().await;
    say(&mut sleeper, &json!({"type": "register", "address": "flood"})).await;
    settle(&mut sleeper).await;
    let mut attacker = victim.attacker().await;
    let body = "x".repeat(16 * 1024);
    let publish = json!({"type": "publish", "address": "flood", "body": body});
    while victim.bus.stats().registrations > 1 {
        say(&mut attacker, &publish).await;
    }
    victim.serves().await;
}
