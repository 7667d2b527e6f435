//! Rules with templates, for principals whose claims an attacker chose.

use serde_json::{Map, Value, json};
use trolleybus::access::{Permitted, Policy, Principal, Verdict};
use trolleybus_protocol::{Body, Pattern};

use crate::reader::Reader;

pub(crate) fn rules(data: &[u8]) {
    let mut reader = Reader(data);
    let claims = json!({"sub": reader.text(12), "team": {"name": reader.text(12)}, "n": 5});
    let Value::Object(claims) = claims else { return };
    let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
    let principal = Principal::from_claims(claims);
    let count = reader.below(4);
    let rules: Vec<Permitted> = (0..count).map(|_| rule(&mut reader)).collect();
    let (address, body) = (reader.text(24), reader.text(24));
    let Ok(policy) = Policy::compile(&rules, &[inbox()]) else { return };
    let body = Body::from_json(body).unwrap_or_else(|_| Body::null());
    for principal in [None, Some(&principal)] {
        let bound = policy.bind(principal);
        let is_permitted = bound.inbound.check(&address, &body).is_ok();
        match bound.inbound.verdict(&address) {
            Verdict::Permitted => assert!(is_permitted, "{rules:?} {address:?}"),
            Verdict::Denied => assert!(!is_permitted, "{rules:?} {address:?}"),
            Verdict::DependsOnMessage => {}
        }
        if rules.is_empty() {
            assert!(!is_permitted, "no rule, and yet permitted");
        }
        if let Ok(pattern) = Pattern::parse(address.as_str()) {
            let verdict = bound.inbound.verdict_on_pattern(&pattern);
            assert!(!rules.is_empty() || verdict == Verdict::Denied);
        }
    }
    // Whatever the claim says, the inbox is the one of the claim, letter by letter.
    let outbound = policy.bind(Some(&principal)).outbound;
    if outbound.check(&address, &body).is_ok() {
        assert_eq!(address, format!("user.{subject}.inbox"));
    }
}

fn inbox() -> Permitted {
    Permitted::pattern("user.${sub}.inbox")
}

fn rule(reader: &mut Reader<'_>) -> Permitted {
    let text = reader.text(24);
    let rule = match reader.below(6) {
        0 => Permitted::all(),
        1 => Permitted::address(text),
        2 => Permitted::regex(text),
        3 => Permitted::pattern(text),
        4 => Permitted::pattern("user.${sub}.*"),
        _ => Permitted::regex(r"user\.${sub}\.\d+"),
    };
    if reader.below(4) == 0 {
        let mut fields = Map::new();
        fields.insert("k".to_owned(), json!("v"));
        return rule.matching(fields);
    }
    rule
}
