//! The rules, compiled: what may go in and what may go out.

use regex::Regex;
use serde_json::{Map, Value};
use trolleybus_protocol::Body;
use trolleybus_protocol::codes::Refusal;

use super::config::{ConfigError, Permitted};

/// A list of rules, of which the first that matches decides.
#[derive(Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    address: AddressRule,
    body: Option<Map<String, Value>>,
    needs_authority: bool,
}

#[derive(Debug)]
enum AddressRule {
    Any,
    Exact(String),
    Regex(Regex),
}

/// What the rules say about an address before any body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No rule names it.
    Denied,
    /// Every body may pass.
    Permitted,
    /// Each body has to be looked at.
    DependsOnBody,
}

impl Rules {
    pub(super) fn compile(key: &str, permitted: &[Permitted]) -> Result<Self, ConfigError> {
        let rule = |(index, permitted)| Rule::compile(&format!("{key}[{index}]"), permitted);
        permitted.iter().enumerate().map(rule).collect::<Result<_, _>>().map(Self)
    }

    /// May this message pass?
    pub(super) fn check(&self, address: &str, body: &Body) -> Result<(), Refusal> {
        let mut tree = None;
        let matches = |rule: &&Rule| {
            rule.address.matches(address)
                && rule.body.as_ref().is_none_or(|fields| {
                    let tree = tree.get_or_insert_with(|| body.parse::<Value>().ok());
                    tree.as_ref().is_some_and(|tree| has_fields(tree, fields))
                })
        };
        match self.0.iter().find(matches) {
            None => Err(Refusal::AccessDenied),
            Some(rule) if rule.needs_authority => Err(Refusal::NotLoggedIn),
            Some(_) => Ok(()),
        }
    }

    /// What can be said about an address alone.
    pub(super) fn verdict(&self, address: &str) -> Verdict {
        match self.0.iter().find(|rule| rule.address.matches(address)) {
            None => Verdict::Denied,
            Some(rule) if rule.body.is_none() && !rule.needs_authority => Verdict::Permitted,
            Some(_) => Verdict::DependsOnBody,
        }
    }
}

impl Rule {
    fn compile(key: &str, permitted: &Permitted) -> Result<Self, ConfigError> {
        let address = match (&permitted.address, &permitted.address_regex) {
            (Some(_), Some(_)) => {
                let problem = "cannot stand beside `address`; keep one of the two";
                return Err(ConfigError::new(format!("{key}.address_regex"), problem));
            }
            (Some(address), None) => AddressRule::Exact(address.clone()),
            (None, Some(pattern)) => {
                AddressRule::Regex(Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|error| {
                    let problem = format!("is not a regular expression: {error}");
                    ConfigError::new(format!("{key}.address_regex"), problem)
                })?)
            }
            (None, None) => AddressRule::Any,
        };
        let needs_authority = permitted.required_authority.is_some();
        Ok(Self { address, body: permitted.body_match.clone(), needs_authority })
    }
}

impl AddressRule {
    fn matches(&self, address: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == address,
            Self::Regex(regex) => regex.is_match(address),
        }
    }
}

/// Every field of `fields` must be in `value` and equal. Unlike Vert.x, an absent body or object
/// passes only where the rule itself says `null`.
fn has_fields(value: &Value, fields: &Map<String, Value>) -> bool {
    let Value::Object(object) = value else {
        return false;
    };
    fields.iter().all(|(name, expected)| match (object.get(name), expected) {
        (None | Some(Value::Null), Value::Null) => true,
        (Some(found), Value::Object(nested)) => has_fields(found, nested),
        (Some(found), expected) => found == expected,
        (None, _) => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(permitted: &[Permitted]) -> Rules {
        Rules::compile("rules", permitted).unwrap()
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
        let guarded =
            Permitted { required_authority: Some("chef".into()), ..Permitted::address("a") };
        let rules = rules(&[guarded, Permitted::all()]);
        assert_eq!(rules.check("a", &Body::null()), Err(Refusal::NotLoggedIn));
        assert_eq!(rules.check("b", &Body::null()), Ok(()));
        assert_eq!(rules.verdict("a"), Verdict::DependsOnBody);
    }

    #[test]
    fn verdicts_spare_the_look_at_bodies() {
        let fields = json!({"x": 1}).as_object().unwrap().clone();
        let rules = rules(&[Permitted::address("m").matching(fields), Permitted::regex("m|p")]);
        assert_eq!(rules.verdict("m"), Verdict::DependsOnBody);
        assert_eq!(rules.verdict("p"), Verdict::Permitted);
        assert_eq!(rules.verdict("q"), Verdict::Denied);
    }

    #[test]
    fn wrong_rules_are_named_by_their_key() {
        let error = Rules::compile("in", &[Permitted::all(), Permitted::regex("(")]).unwrap_err();
        assert_eq!(error.key, "in[1].address_regex");
        let both = Permitted { address: Some("a".into()), ..Permitted::regex("b") };
        assert!(Rules::compile("in", &[both]).is_err());
    }
}
