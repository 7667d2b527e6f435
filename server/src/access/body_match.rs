//! Whether a body has the fields that a rule asks for, read from its text: a tree of all that a client
//! sends would take twenty times its memory, for each receiver whose rules look at it.

use serde_json::{Map, Value};
use trolleybus_protocol::json::{Elements, JsonError, Members, is_null, unquote};

/// Whether an object may have members that are not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    Allowed,
    Forbidden,
}

/// Every field of `fields` must be in the object `body` and equal, an object by the same rule. Unlike
/// Vert.x, an absent body or object passes only where the rule itself says `null`.
pub(super) fn has_fields(body: &str, fields: &Map<String, Value>) -> bool {
    has_members(body, fields, Others::Allowed).unwrap_or(false)
}

/// Of two members of one name the last counts.
fn has_members(raw: &str, fields: &Map<String, Value>, others: Others) -> Result<bool, JsonError> {
    let mut members = Members::new(raw)?;
    let mut found = vec![None; fields.len()];
    while let Some((name, value)) = members.next_member()? {
        let name = unquote(name)?;
        match fields.keys().position(|field| **field == *name) {
            Some(place) => found[place] = Some(value),
            None if others == Others::Forbidden => return Ok(false),
            None => {}
        }
    }
    let fits = |(expected, found): (&Value, Option<&str>)| match (found, expected) {
        (None, _) => others == Others::Allowed && expected.is_null(),
        (Some(raw), Value::Null) => is_null(raw),
        (Some(raw), Value::Object(nested)) if others == Others::Allowed => has_fields(raw, nested),
        (Some(raw), expected) => is_equal(raw, expected).unwrap_or(false),
    };
    Ok(fields.values().zip(found).all(fits))
}

/// Whether a value is the expected one as JSON compares them: 1 is not 1.0. It is read no further than
/// it may still be.
fn is_equal(raw: &str, expected: &Value) -> Result<bool, JsonError> {
    match expected {
        Value::Null => Ok(is_null(raw)),
        Value::Bool(expected) => Ok(raw == if *expected { "true" } else { "false" }),
        Value::Number(expected) => {
            let starts = raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            Ok(starts
                && serde_json::from_str(raw)
                    .is_ok_and(|number: serde_json::Number| number == *expected))
        }
        Value::String(expected) => Ok(raw.starts_with('"') && unquote(raw)? == **expected),
        Value::Object(fields) => has_members(raw, fields, Others::Forbidden),
        Value::Array(values) => {
            let mut elements = Elements::new(raw)?;
            for value in values {
                match elements.next_element()? {
                    Some(raw) if is_equal(raw, value).unwrap_or(false) => {}
                    _ => return Ok(false),
                }
            }
            Ok(elements.next_element()?.is_none())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same said of a tree.
    fn tree_has_fields(value: &Value, fields: &Map<String, Value>) -> bool {
        let Value::Object(object) = value else {
            return false;
        };
        fields.iter().all(|(name, expected)| match (object.get(name), expected) {
            (None | Some(Value::Null), Value::Null) => true,
            (Some(found), Value::Object(nested)) => tree_has_fields(found, nested),
            (Some(found), expected) => found == expected,
            (None, _) => false,
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-1..2i64).prop_map(Value::from),
            prop_oneof![Just(1.0), Just(-0.0), Just(0.5)].prop_map(Value::from),
            "[ab\"\\\\é]?".prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_text_says_what_the_tree_says(
            body in value(),
            fields in prop::collection::btree_map("[ab]", value(), 0..3),
        ) {
            let fields: Map<_, _> = fields.into_iter().collect();
            let text = serde_json::to_string_pretty(&body).unwrap();
            prop_assert_eq!(has_fields(&text, &fields), tree_has_fields(&body, &fields));
            if let Value::Object(own) = &body {
                prop_assert!(has_fields(&text, own));
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>(), fields in value()) {
            if let Value::Object(fields) = fields {
                has_fields(&text, &fields);
            }
        }
    }

    fn matches(body: &str, fields: &str) -> bool {
        has_fields(body, &serde_json::from_str(fields).unwrap())
    }

    #[test]
    fn names_may_be_escaped_and_the_last_of_two_counts() {
        assert!(matches(r#"{"\u0061":1}"#, r#"{"a":1}"#));
        assert!(matches(r#"{"a":2,"a":1}"#, r#"{"a":1}"#));
        assert!(!matches(r#"{"a":1,"\u0061":2}"#, r#"{"a":1}"#));
        assert!(!matches(r#"{"a":1,"a":null}"#, r#"{"a":1}"#));
    }

    #[test]
    fn what_no_rule_asks_for_is_not_read() {
        assert!(matches(r#"{"n":1e999,"a":1}"#, r#"{"a":1}"#));
        assert!(!matches(r#"{"a":1e999}"#, r#"{"a":1}"#));
        assert!(!matches(r#"{"a":1"#, r#"{"a":1}"#) && !matches(r#"{"a":1} 2"#, r#"{"a":1}"#));
    }
}
