//! `GET /addresses?prefix=&after=&limit=`: who is listened to, and how much passes.
//!
//! ```json
//! {"addresses": [{"address": "news", "is_pattern": false, "registrations": 2, "messages": 100,
//!   "messages_per_second": 4.5}], "next": null}
//! ```

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use serde_json::json;

use crate::admin::answer::{Answered, PageQuery, Refused, answer};
use crate::admin::handle::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/addresses", get(list))
}

/// The rate is that since the last look at the same address, a second ago at least; before that it
/// is `null`.
async fn list(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<PageQuery<String>>, QueryRejection>,
) -> Answered {
    let Query(page) = query.map_err(|error| Refused::BadRequest(error.body_text()))?;
    let limit = page.limit(shared.max_page);
    let prefix = page.prefix.unwrap_or_default();
    let found = shared.ports.addresses.page(&prefix, &page.after.unwrap_or_default(), limit);
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.address.clone());
    let now = Instant::now();
    let mut rates = shared.rates.lock();
    let lines: Vec<_> = found
        .into_iter()
        .map(|line| {
            json!({
                "messages_per_second": rates.rate(now, &line.address, line.messages),
                "address": line.address,
                "is_pattern": line.is_pattern,
                "registrations": line.registrations,
                "messages": line.messages,
            })
        })
        .collect();
    drop(rates);
    Ok(answer(&json!({ "addresses": lines, "next": next })))
}
