//! What the claims of a token must say, and what they make. No clock is read here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::error::Flaw;
use crate::access::Principal;

/// What the claims of a token must say.
#[derive(Debug, Clone)]
pub(super) struct Demands {
    /// How wrong clocks may be.
    pub(super) leeway: Duration,
    /// Accepted issuers; with none, any.
    pub(super) issuers: Vec<String>,
    /// Our names; with none, only tokens without an audience are for us.
    pub(super) audiences: Vec<String>,
    /// Claims that must be there.
    pub(super) required: Vec<String>,
    /// Paths of the claims that hold authorities.
    pub(super) authorities: Vec<String>,
}

impl Demands {
    /// The principal that these claims make.
    pub(super) fn principal(
        &self,
        claims: Map<String, Value>,
        now: SystemTime,
    ) -> Result<Principal, Flaw> {
        let is_there = |name: &String| find(&claims, name).is_some_and(|value| !value.is_null());
        if !self.required.iter().all(is_there) {
            return Err(Flaw::MissingClaim);
        }
        let expires = time(&claims, "exp")?.map(|time| time + self.leeway.as_secs_f64());
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        if expires.is_some_and(|expires| now >= expires) {
            return Err(Flaw::Expired);
        }
        if time(&claims, "nbf")?.is_some_and(|begins| now < begins - self.leeway.as_secs_f64()) {
            return Err(Flaw::NotYet);
        }
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        let authorities: Vec<_> =
            self.authorities.iter().flat_map(|path| authorities(&claims, path)).collect();
        let principal = Principal::from_claims(claims).with_authorities(authorities);
        // One that lies beyond what the clock can say is as good as never.
        let expires = expires.and_then(|expires| Duration::try_from_secs_f64(expires).ok());
        Ok(match expires.and_then(|expires| UNIX_EPOCH.checked_add(expires)) {
            Some(expires) => principal.expiring_at(expires),
            None => principal,
        })
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), Flaw> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        let is_known = issuer.is_some_and(|issuer| self.issuers.iter().any(|one| one == issuer));
        if is_known { Ok(()) } else { Err(Flaw::Issuer) }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Flaw> {
        let is_us = |value: &Value| value.as_str().is_some_and(|name| self.names_us(name));
        let is_for_us = match claims.get("aud") {
            None | Some(Value::Null) => self.audiences.is_empty(),
            Some(Value::Array(names)) => names.iter().any(is_us),
            Some(name) => is_us(name),
        };
        if is_for_us { Ok(()) } else { Err(Flaw::Audience) }
    }

    fn names_us(&self, name: &str) -> bool {
        self.audiences.iter().any(|own| own == name)
    }
}

/// Seconds since 1970.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, Flaw> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(Flaw::ClaimType),
    }
}

/// A claim by its own name or by a path such as `realm_access.roles`.
fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let mut names = path.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    })
}

/// The authorities in a claim: an array of texts, or words in one text.
fn authorities(claims: &Map<String, Value>, path: &str) -> Vec<String> {
    match find(claims, path) {
        Some(Value::String(words)) => words.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_000_000;

    fn demands() -> Demands {
        let authorities = ["permissions", "scope", "realm_access.roles"];
        Demands {
            leeway: Duration::from_secs(30),
            issuers: Vec::new(),
            audiences: Vec::new(),
            required: vec!["exp".into()],
            authorities: authorities.map(str::to_owned).into(),
        }
    }

    fn check(demands: &Demands, claims: Value) -> Result<Principal, Flaw> {
        let Value::Object(claims) = claims else { panic!("no object") };
        demands.principal(claims, UNIX_EPOCH + Duration::from_secs(NOW))
    }

    fn with(extra: &Value) -> Value {
        let mut claims = json!({"sub": "ada", "exp": NOW + 60});
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        claims
    }

    #[test]
    fn time_is_checked_with_leeway_on_both_sides() {
        let flaw = |claims: Value| check(&demands(), with(&claims)).err();
        assert_eq!(flaw(json!({"exp": NOW - 29})), None);
        assert_eq!(flaw(json!({"exp": NOW - 30})), Some(Flaw::Expired));
        assert_eq!(flaw(json!({"exp": NOW as f64 - 29.5})), None);
        assert_eq!(flaw(json!({"exp": -5})), Some(Flaw::Expired));
        assert_eq!(flaw(json!({"nbf": NOW + 30})), None);
        assert_eq!(flaw(json!({"nbf": NOW + 31})), Some(Flaw::NotYet));
        assert_eq!(flaw(json!({"exp": "tomorrow"})), Some(Flaw::ClaimType));
        assert_eq!(flaw(json!({"nbf": [1]})), Some(Flaw::ClaimType));
    }

    #[test]
    fn a_principal_holds_until_the_leeway_is_over_too() {
        let principal = check(&demands(), with(&json!({}))).unwrap();
        let expires = UNIX_EPOCH + Duration::from_secs(NOW + 90);
        assert_eq!((principal.subject(), principal.expires_at()), (Some("ada"), Some(expires)));
        let far = check(&demands(), with(&json!({"exp": 1e300}))).unwrap();
        assert_eq!(far.expires_at(), None);
    }

    #[test]
    fn required_claims_are_there_and_not_null() {
        let required = |names: &[&str]| Demands {
            required: names.iter().map(|name| (*name).to_owned()).collect(),
            ..demands()
        };
        let nested = required(&["org.id"]);
        assert!(check(&nested, with(&json!({"org": {"id": 7}}))).is_ok());
        assert_eq!(check(&nested, with(&json!({"org": 7}))), Err(Flaw::MissingClaim));
        assert_eq!(check(&demands(), json!({"sub": "ada"})), Err(Flaw::MissingClaim));
        assert_eq!(check(&demands(), json!({"exp": null})), Err(Flaw::MissingClaim));
        assert!(check(&required(&[]), json!({"sub": "ada"})).is_ok());
    }

    #[test]
    fn the_issuer_must_be_one_of_the_list() {
        let ours = Demands { issuers: vec!["https://a".into(), "b".into()], ..demands() };
        assert!(check(&ours, with(&json!({"iss": "b"}))).is_ok());
        for claims in [json!({"iss": "c"}), json!({}), json!({"iss": ["b"]}), json!({"iss": ""})] {
            assert_eq!(check(&ours, with(&claims)), Err(Flaw::Issuer));
        }
    }

    #[test]
    fn an_audience_must_name_us_and_without_a_name_of_ours_none_may_be_there() {
        let ours = Demands { audiences: vec!["bus".into()], ..demands() };
        assert!(check(&ours, with(&json!({"aud": "bus"}))).is_ok());
        assert!(check(&ours, with(&json!({"aud": ["x", "bus"]}))).is_ok());
        for claims in [json!({}), json!({"aud": "x"}), json!({"aud": []}), json!({"aud": {}})] {
            assert_eq!(check(&ours, with(&claims)), Err(Flaw::Audience));
        }
        assert_eq!(check(&demands(), with(&json!({"aud": "x"}))), Err(Flaw::Audience));
    }

    #[test]
    fn authorities_come_from_arrays_words_and_paths() {
        let claims = json!({
            "permissions": ["cook", 7, "eat"],
            "scope": " read  write ",
            "realm_access": {"roles": ["clerk"]},
            "roles": ["other"],
        });
        let principal = check(&demands(), with(&claims)).unwrap();
        for held in ["cook", "eat", "read", "write", "clerk"] {
            assert!(principal.holds(held), "{held}");
        }
        assert!(!principal.holds("other") && !principal.holds("7") && !principal.holds(""));
    }
}
