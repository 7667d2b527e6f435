//! Steps of the server: may it pass, and who gets it?

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Map, json};
use trolleybus::access::{Permitted, Policy};
use trolleybus::bus::{Delivery, Dispatch, Handler};
use trolleybus::{Address, Body, Bus, Headers, Message, Pattern, Registration};

use super::Step;

const ADDRESS: &str = "user.42.inbox";

fn check(rules: &[Permitted]) -> Step {
    let policy = Policy::compile(rules, &[]).expect("invariant: the rules make sense");
    let rules = policy.bind(None).inbound;
    let body = Body::from_json(r#"{"kind":"order","count":3}"#).expect("invariant: it is JSON");
    assert!(rules.check(ADDRESS, &body).is_ok(), "the step would measure a refusal");
    Box::new(move || {
        let _ = black_box(rules.check(black_box(ADDRESS), black_box(&body)));
    })
}

pub(super) fn check_rules() -> Step {
    let mut rules: Vec<_> = (0..9).map(|n| Permitted::address(format!("user.{n}.inbox"))).collect();
    rules.push(Permitted::address(ADDRESS));
    check(&rules)
}

pub(super) fn check_regex() -> Step {
    check(&[Permitted::regex(r"user\.\d+\.inbox")])
}

pub(super) fn check_body() -> Step {
    let fields = Map::from_iter([("kind".to_owned(), json!("order"))]);
    check(&[Permitted::address(ADDRESS).matching(fields)])
}

pub(super) fn match_pattern() -> Step {
    let pattern = Pattern::parse("user.*.inbox").expect("invariant: it is a pattern");
    assert!(pattern.matches(ADDRESS), "the step would measure a miss");
    Box::new(move || {
        black_box(pattern.matches(black_box(ADDRESS)));
    })
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Handler for Counting {
    fn deliver(&self, _: &Message) -> Delivery {
        self.0.fetch_add(1, Relaxed);
        Delivery::Taken
    }
}

/// Publishes to one address; `handlers` get it, besides those of patterns.
fn dispatch(handlers: usize, patterns: impl Iterator<Item = String>) -> Step {
    let (bus, counting, address) = (Bus::new(), Arc::<Counting>::default(), Address::from(ADDRESS));
    let mut registrations: Vec<Registration> =
        (0..handlers).map(|_| bus.register(&address, counting.clone())).collect();
    for pattern in patterns {
        let pattern = Pattern::parse(pattern).expect("invariant: it is a pattern");
        registrations.push(bus.register_pattern(&pattern, counting.clone()));
    }
    let body = Body::from_text("goal");
    Box::new(move || {
        let _kept = &registrations;
        let dispatch = Dispatch::new(address.clone(), body.clone(), Headers::new());
        black_box(bus.publish_message(black_box(dispatch)));
    })
}

pub(super) fn dispatch_to_one() -> Step {
    dispatch(1, std::iter::empty())
}

pub(super) fn dispatch_to_hundred() -> Step {
    dispatch(100, std::iter::empty())
}

pub(super) fn dispatch_among_patterns() -> Step {
    let others = (0..9_999).map(|number| format!("user.*.other{number}"));
    dispatch(0, others.chain(["user.*.inbox".to_owned()]))
}
