//! The rules, compiled: what may go in and what may go out.

use std::borrow::Cow;

use regex::Regex;
use serde_json::{Map, Value};
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Body, Pattern};

use super::body_match::has_fields;
use super::template::Template;
use super::{ConfigError, Permitted, Principal};

/// Rules that may look at the principal, before one is known.
#[derive(Debug)]
pub(super) struct RuleSet(Vec<Source>);

#[derive(Debug)]
struct Source {
    address: AddressSource,
    body: Option<Map<String, Value>>,
    authority: Option<String>,
}

#[derive(Debug)]
enum AddressSource {
    /// Names no claim.
    Fixed(AddressRule),
    Address(Template),
    Regex(Template),
    Pattern(Template),
}

/// A list of rules for one principal, of which the first that matches decides.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    address: AddressRule,
    body: Option<Map<String, Value>>,
    /// Why the principal may not use this rule.
    lacks: Option<Refusal>,
}

#[derive(Debug, Clone)]
enum AddressRule {
    Any,
    Exact(String),
    Regex(Regex),
    Pattern(Pattern),
}

/// What the rules say about an address before any body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No rule names it.
    Denied,
    /// Every body may pass.
    Permitted,
    /// Each message has to be looked at.
    DependsOnMessage,
}

impl RuleSet {
    pub(super) fn compile(key: &str, permitted: &[Permitted]) -> Result<Self, ConfigError> {
        let source = |(index, permitted)| Source::compile(&format!("{key}[{index}]"), permitted);
        permitted.iter().enumerate().map(source).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn looks_at_principal(&self) -> bool {
        let is_fixed = |source: &Source| matches!(source.address, AddressSource::Fixed(_));
        self.0.iter().any(|source| source.authority.is_some() || !is_fixed(source))
    }

    pub(super) fn bind(&self, principal: Option<&Principal>) -> Rules {
        Rules(self.0.iter().filter_map(|source| source.bind(principal)).collect())
    }
}

impl Source {
    fn compile(key: &str, permitted: &Permitted) -> Result<Self, ConfigError> {
        let Permitted { address, address_regex, address_pattern, body_match, required_authority } =
            permitted;
        let kinds = [address, address_regex, address_pattern];
        if kinds.iter().filter(|kind| kind.is_some()).count() > 1 {
            let problem =
                "has more than one of `address`, `address_regex` and `address_pattern`; keep one";
            return Err(ConfigError::new(key, problem));
        }
        let address = if let Some(address) = address {
            let key = format!("{key}.address");
            AddressSource::compile(&key, address, AddressSource::Address)?
        } else if let Some(regex) = address_regex {
            let key = format!("{key}.address_regex");
            AddressSource::compile(&key, regex, AddressSource::Regex)?
        } else if let Some(pattern) = address_pattern {
            let key = format!("{key}.address_pattern");
            AddressSource::compile(&key, pattern, AddressSource::Pattern)?
        } else {
            AddressSource::Fixed(AddressRule::Any)
        };
        Ok(Self { address, body: body_match.clone(), authority: required_authority.clone() })
    }

    /// The rule for this principal; none when it lacks a claim that the address names.
    fn bind(&self, principal: Option<&Principal>) -> Option<Rule> {
        let address = match &self.address {
            AddressSource::Fixed(rule) => rule.clone(),
            // The template was tried when it was compiled; what a claim does to it cannot be foreseen.
            source => source.fill(principal)?.ok()?,
        };
        let lacks = match (&self.authority, principal) {
            (None, _) => None,
            (Some(_), None) => Some(Refusal::NotLoggedIn),
            (Some(authority), Some(principal)) if principal.holds(authority) => None,
            (Some(_), Some(_)) => Some(Refusal::AccessDenied),
        };
        Some(Rule { address, body: self.body.clone(), lacks })
    }
}

impl AddressSource {
    fn compile(
        key: &str,
        text: &str,
        kind: impl FnOnce(Template) -> Self,
    ) -> Result<Self, ConfigError> {
        let template = Template::parse(text).map_err(|problem| ConfigError::new(key, problem))?;
        let names_claims = template.names_claims();
        let source = kind(template);
        // With claims, a stand-in shows whether the rest makes sense.
        let rule = source.fill_with(|_| Some("x".into()));
        match rule {
            Some(Err(problem)) => Err(ConfigError::new(key, problem)),
            Some(Ok(rule)) if !names_claims => Ok(Self::Fixed(rule)),
            _ => Ok(source),
        }
    }

    fn fill(&self, principal: Option<&Principal>) -> Option<Result<AddressRule, String>> {
        self.fill_with(|claim| principal?.claim(claim).map(Cow::into_owned))
    }

    /// The rule with each claim as `value` gives it.
    fn fill_with(
        &self,
        value: impl Fn(&str) -> Option<String>,
    ) -> Option<Result<AddressRule, String>> {
        Some(match self {
            Self::Fixed(rule) => Ok(rule.clone()),
            Self::Address(template) => Ok(AddressRule::Exact(template.fill(value)?)),
            Self::Regex(template) => {
                let regex = template.fill(|claim| Some(regex::escape(&value(claim)?)))?;
                let regex = Regex::new(&format!(r"\A(?:{regex})\z"));
                regex
                    .map(AddressRule::Regex)
                    .map_err(|error| format!("is not a regular expression: {error}"))
            }
            Self::Pattern(template) => {
                let word = |claim: &str| value(claim).filter(|value| is_plain_word(value));
                Pattern::parse(template.fill(word)?)
                    .map(AddressRule::Pattern)
                    .map_err(|error| format!("is not a pattern: {error}"))
            }
        })
    }
}

/// Whether a claim's value stands for itself in a pattern.
fn is_plain_word(value: &str) -> bool {
    !value.contains(['.', '/', '*', '>', '#', '+'])
}

impl Rules {
    /// May this message pass?
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, address: &str, body: &Body) -> Result<(), Refusal> {
        let matches = |rule: &&Rule| {
            rule.address.matches(address)
                && rule.body.as_ref().is_none_or(|fields| has_fields(body.as_json(), fields))
        };
        match self.0.iter().find(matches) {
            None => Err(Refusal::AccessDenied),
            Some(rule) => rule.lacks.map_or(Ok(()), Err),
        }
    }

    /// What can be said about an address alone.
    #[must_use]
    pub fn verdict(&self, address: &str) -> Verdict {
        match self.0.iter().find(|rule| rule.address.matches(address)) {
            None => Verdict::Denied,
            Some(rule) if rule.body.is_none() && rule.lacks.is_none() => Verdict::Permitted,
            Some(_) => Verdict::DependsOnMessage,
        }
    }

    /// What can be said about all addresses that a pattern means. Unless all of them are
    /// permitted, each message has to be looked at.
    #[must_use]
    pub fn verdict_on_pattern(&self, pattern: &Pattern) -> Verdict {
        match self.0.iter().find(|rule| rule.address.may_match_some_of(pattern)) {
            None => Verdict::Denied,
            Some(Rule { address: AddressRule::Any, body: None, lacks: None }) => Verdict::Permitted,
            Some(_) => Verdict::DependsOnMessage,
        }
    }
}

impl AddressRule {
    fn matches(&self, address: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == address,
            Self::Regex(regex) => regex.is_match(address),
            Self::Pattern(pattern) => pattern.matches(address),
        }
    }

    /// For a regular expression that cannot be known, and is taken for yes.
    fn may_match_some_of(&self, pattern: &Pattern) -> bool {
        match self {
            Self::Any | Self::Regex(_) => true,
            Self::Exact(exact) => pattern.matches(exact),
            Self::Pattern(own) => own.overlaps(pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(permitted: &[Permitted]) -> Rules {
        RuleSet::compile("rules", permitted).unwrap().bind(None)
    }

    fn matching(fields: Value) -> Rules {
        let Value::Object(fields) = fields else { panic!("not an object") };
        rules(&[Permitted::address("a").matching(fields)])
    }

    fn passes(rules: &Rules, address: &str, body: &str) -> bool {
        rules.check(address, &Body::from_json(body).unwrap()).is_ok()
    }

    #[test]
    fn nothing_is_permitted_by_default_and_an_empty_rule_permits_all() {
        assert!(!passes(&rules(&[]), "a", "1"));
        assert!(passes(&rules(&[Permitted::all()]), "", "null"));
    }

    #[test]
    fn a_regex_has_to_match_the_whole_address() {
        let rules = rules(&[Permitted::regex("a|news\\..+")]);
        assert!(passes(&rules, "a", "1") && passes(&rules, "news.x", "1"));
        assert!(!passes(&rules, "ab", "1") && !passes(&rules, "my.news.x", "1"));
        assert!(!passes(&rules, "news.x\n", "1"));
    }

    #[test]
    fn bodies_must_have_the_fields_of_the_match() {
        let rules = matching(json!({"type": "order", "who": {"role": "cook"}}));
        assert!(passes(&rules, "a", r#"{"type":"order","who":{"role":"cook","n":1},"x":2}"#));
        assert!(!passes(&rules, "a", r#"{"type":"order"}"#));
        assert!(!passes(&rules, "a", r#"{"type":"order","who":null}"#));
        assert!(!passes(&rules, "a", r#"{"type":"order","who":["role"]}"#));
        assert!(!passes(&rules, "a", "\"order\"") && !passes(&rules, "a", "[]"));
    }

    #[test]
    fn a_null_body_does_not_slip_through_a_match() {
        assert!(!passes(&matching(json!({"type": "order"})), "a", "null"));
        assert!(!passes(&matching(json!({})), "a", "null"));
        let optional = matching(json!({"note": null}));
        assert!(passes(&optional, "a", "{}") && passes(&optional, "a", r#"{"note":null}"#));
        assert!(!passes(&optional, "a", r#"{"note":1}"#) && !passes(&optional, "a", "null"));
    }

    #[test]
    fn leaves_are_compared_as_json_compares_them() {
        let rules = matching(json!({"n": 1}));
        assert!(passes(&rules, "a", r#"{"n":1}"#));
        assert!(!passes(&rules, "a", r#"{"n":1.0}"#) && !passes(&rules, "a", r#"{"n":"1"}"#));
    }

    #[test]
    fn the_first_rule_that_matches_decides_even_if_it_asks_for_an_authority() {
        let guarded = Permitted::address("a").requiring("chef");
        let rules = rules(&[guarded, Permitted::all()]);
        assert_eq!(rules.check("a", &Body::null()), Err(Refusal::NotLoggedIn));
        assert_eq!(rules.check("b", &Body::null()), Ok(()));
        assert_eq!(rules.verdict("a"), Verdict::DependsOnMessage);
    }

    #[test]
    fn verdicts_spare_the_look_at_bodies() {
        let fields = json!({"x": 1}).as_object().unwrap().clone();
        let rules = rules(&[Permitted::address("m").matching(fields), Permitted::regex("m|p")]);
        assert_eq!(rules.verdict("m"), Verdict::DependsOnMessage);
        assert_eq!(rules.verdict("p"), Verdict::Permitted);
        assert_eq!(rules.verdict("q"), Verdict::Denied);
    }

    #[test]
    fn wrong_rules_are_named_by_their_key() {
        let wrong = |rule| RuleSet::compile("in", &[Permitted::all(), rule]).unwrap_err().key;
        assert_eq!(wrong(Permitted::regex("(")), "in[1].address_regex");
        assert_eq!(wrong(Permitted::regex("(${sub}")), "in[1].address_regex");
        assert_eq!(wrong(Permitted::pattern("a*")), "in[1].address_pattern");
        assert_eq!(wrong(Permitted::address("a.${")), "in[1].address");
        let both = Permitted { address: Some("a".into()), ..Permitted::regex("b") };
        assert_eq!(wrong(both), "in[1]");
    }

    #[test]
    fn claims_stand_for_themselves() {
        let bind = |rule: Permitted, subject: &str| {
            RuleSet::compile("in", &[rule]).unwrap().bind(Some(&Principal::new(subject)))
        };
        assert!(passes(&bind(Permitted::address("u.${sub}"), "ada"), "u.ada", "1"));
        assert!(!passes(&bind(Permitted::address("u.${sub}"), "ada"), "u.bob", "1"));
        assert!(!passes(&bind(Permitted::regex("u\\.${sub}"), ".*"), "u.bob", "1"));
        assert!(passes(&bind(Permitted::regex("u\\.${sub}"), ".*"), "u..*", "1"));
        assert!(passes(&bind(Permitted::pattern("u.${sub}.>"), "ada"), "u.ada.x", "1"));
        for subject in ["*", ">", "a.b", "#"] {
            assert!(!passes(&bind(Permitted::pattern("u.${sub}.#"), subject), "u.a.b", "1"));
        }
        assert!(!passes(&rules(&[Permitted::address("u.${sub}")]), "u.", "1"));
    }

    #[test]
    fn an_authority_is_held_or_missed() {
        let set = RuleSet::compile("in", &[Permitted::all().requiring("clerk")]).unwrap();
        let check = |principal: Option<&Principal>| set.bind(principal).check("a", &Body::null());
        assert_eq!(check(None), Err(Refusal::NotLoggedIn));
        assert_eq!(check(Some(&Principal::new("ada"))), Err(Refusal::AccessDenied));
        assert_eq!(check(Some(&Principal::new("ada").with_authority("clerk"))), Ok(()));
    }

    #[test]
    fn patterns_are_judged_by_what_they_may_mean() {
        let pattern = |text: &str| Pattern::parse(text).unwrap();
        let rules = rules(&[Permitted::address("news.eu"), Permitted::pattern("prices.>")]);
        assert_eq!(rules.verdict_on_pattern(&pattern("news.*")), Verdict::DependsOnMessage);
        assert_eq!(rules.verdict_on_pattern(&pattern("prices.*.x")), Verdict::DependsOnMessage);
        assert_eq!(rules.verdict_on_pattern(&pattern("users.>")), Verdict::Denied);
        let all = RuleSet::compile("in", &[Permitted::all()]).unwrap().bind(None);
        assert_eq!(all.verdict_on_pattern(&pattern(">")), Verdict::Permitted);
    }
}
