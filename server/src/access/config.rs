//! One rule, as a configuration file holds it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One rule. All parts that are there must hold; a rule without any part permits everything.
///
/// Addresses, regular expressions and patterns may name claims of the principal, such as
/// `user.${sub}.inbox` or `tenant.${org.id}.>`. A rule whose claim the principal lacks permits
/// nothing. The value of a claim stands for itself: in a regular expression it is escaped, and in
/// a pattern it must be one word without wildcards.
///
/// ```
/// # use trolleybus::access::Permitted;
/// let news = Permitted::address("news");
/// let inbox = Permitted::address("user.${sub}.inbox");
/// let prices = Permitted::pattern("prices.>");
/// let orders = Permitted::regex(r"orders\.[a-z]{2}").requiring("clerk");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Permitted {
    /// The exact address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A regular expression that the whole address must match. The engine takes linear time and
    /// knows no back references. Not together with `address` or `address_pattern`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_regex: Option<String>,
    /// A pattern such as `news.*.sport` or `news/#` that must match the address. Not together with
    /// `address` or `address_regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_pattern: Option<String>,
    /// Fields that the body must have with just these values; objects within are compared in the
    /// same way, further fields are free. A `null` here also takes an absent field.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub body_match: Option<Map<String, Value>>,
    /// An authority that the principal must hold. Without authentication nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_authority: Option<String>,
}

impl Permitted {
    /// Permits every address and body.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Permits one address.
    pub fn address(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..Self::default() }
    }

    /// Permits the addresses that a regular expression matches as a whole.
    pub fn regex(regex: impl Into<String>) -> Self {
        Self { address_regex: Some(regex.into()), ..Self::default() }
    }

    /// Permits the addresses that a pattern matches.
    pub fn pattern(pattern: impl Into<String>) -> Self {
        Self { address_pattern: Some(pattern.into()), ..Self::default() }
    }

    /// Permits only bodies with these fields.
    #[must_use]
    pub fn matching(mut self, fields: Map<String, Value>) -> Self {
        self.body_match = Some(fields);
        self
    }

    /// Permits only principals with this authority.
    #[must_use]
    pub fn requiring(mut self, authority: impl Into<String>) -> Self {
        self.required_authority = Some(authority.into());
        self
    }
}
