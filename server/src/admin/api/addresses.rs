//! `GET /addresses?prefix=&after=&limit=`, `GET /patterns?...`: who is listened to, and how much
//! passes.
//!
//! ```json
//! {"addresses": [{"address": "news", "registrations": 2, "messages": 100,
//!   "messages_per_second": 4.5}], "next": null}
//! ```

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use serde_json::{Value, json};

use crate::admin::answer::{Answered, PageQuery, Refused, answer};
use crate::admin::handle::Shared;
use crate::admin::ports::{AddressView, Addresses};
use crate::admin::rates::Rates;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/addresses", get(addresses)).route("/patterns", get(patterns))
}

type Paged = Result<Query<PageQuery<String>>, QueryRejection>;
type Look = fn(&dyn Addresses, &str, Option<&str>, usize) -> Vec<AddressView>;

async fn addresses(State(shared): State<Arc<Shared>>, query: Paged) -> Answered {
    list(&shared, query, Addresses::page, "")
}

async fn patterns(State(shared): State<Arc<Shared>>, query: Paged) -> Answered {
    list(&shared, query, Addresses::patterns, PATTERN)
}

/// What tells the rate of a pattern from that of an address of the same text.
const PATTERN: &str = "\u{0}pattern:";

/// The rate is that since the last look at the same address, a second ago at least; before that it
/// is `null`.
fn list(shared: &Shared, query: Paged, look: Look, kind: &str) -> Answered {
    let Query(page) = query.map_err(|error| Refused::BadRequest(error.body_text()))?;
    let limit = page.limit(shared.max_page);
    let prefix = page.prefix.unwrap_or_default();
    let found = look(&*shared.ports.addresses, &prefix, page.after.as_deref(), limit);
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.address.clone());
    let now = Instant::now();
    let mut rates = shared.rates.lock();
    let rows: Vec<_> = found.iter().map(|row| with_rate(row, &mut rates, now, kind)).collect();
    drop(rates);
    Ok(answer(&json!({ "addresses": rows, "next": next })))
}

fn with_rate(row: &AddressView, rates: &mut Rates, now: Instant, kind: &str) -> Value {
    let AddressView { address, registrations, messages } = row;
    let rate = rates.rate(now, &format!("{kind}{address}"), *messages);
    json!({
        "address": address,
        "registrations": registrations,
        "messages": messages,
        "messages_per_second": rate,
    })
}
