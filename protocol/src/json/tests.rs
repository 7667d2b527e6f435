//! The scanner against its own rules, and against serde_json on sound and damaged text.

use super::{Elements, Members, validate};
use proptest::prelude::*;

#[test]
fn valid_texts_pass() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "1.5e+10",
        "\"\"",
        r#""\u00e9\"\\\/\b""#,
        "[]",
        "{}",
        "[ ]",
        "{ }",
        r#"{"a":[1,{"b":null}],"c":""}"#,
        "\"ü😀\"",
        "\"0123456789abc\"",
    ] {
        assert_eq!(validate(text), Ok(()), "{text}");
    }
}

#[test]
fn invalid_texts_fail() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "01",
        "1.",
        "1e",
        "-",
        "+1",
        "'a'",
        "\"",
        "\"\\x\"",
        "[1,]",
        "[,1]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "1 2",
        "\"\u{1}\"",
        "\"\\u12\"",
        "// a\n1",
        "[",
        "{\"a\":1",
        "NaN",
        "\"01234567\n\"",
    ] {
        assert!(validate(text).is_err(), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(validate(&nested(128)), Ok(()));
    assert_eq!(validate(&nested(129)).unwrap_err().reason, "nested too deep");
}

#[test]
fn members_come_in_order_as_written() {
    let mut members = Members::new(r#" { "a" : [1, 2] ,"b":"x"} "#).unwrap();
    assert_eq!(members.next_member(), Ok(Some(("\"a\"", "[1, 2]"))));
    assert_eq!(members.next_member(), Ok(Some(("\"b\"", "\"x\""))));
    assert_eq!(members.next_member(), Ok(None));
    assert_eq!(members.next_member(), Ok(None));
}

#[test]
fn elements_refuse_trailing_text() {
    let mut elements = Elements::new("[1] x").unwrap();
    assert_eq!(elements.next_element(), Ok(Some("1")));
    assert!(elements.next_element().is_err());
    assert!(Elements::new("{}").is_err());
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|n| serde_json::to_string(&n).unwrap()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        let members = prop::collection::vec((any::<String>(), inner), 0..5);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(" ,"))),
            members.prop_map(|members| {
                let text = |(name, value): &(String, String)| {
                    format!("{}: {value}", serde_json::to_string(name).unwrap())
                };
                format!("{{{}}}", members.iter().map(text).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_valid_text(text in json()) {
        prop_assert_eq!(validate(&text), Ok(()));
    }

    #[test]
    fn agrees_with_serde_json_on_damaged_text(text in json(), at: prop::sample::Index, with in "[\\[\\]{},:\"0-9a\\\\ \n]") {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        let text: String = chars.into_iter().collect();
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(validate(&text).is_ok(), theirs, "{}", text);
    }
}
