//! Tenant tokens: JSON Web Tokens by which a shop narrows a key for one of its visitors.
//!
//! A token is signed with a key's value and says which indexes it may search, and with
//! which filter on top of the request's own. Nothing in it counts before its signature
//! has been checked, and a rule that cannot be read lets nothing through.

use crate::error::ApiError;
use crate::filter;
use crate::secret::{Signature, from_base64url};
use domain::{Filter, IndexPattern};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longer tokens are not looked at.
const LONGEST: usize = 32_768;

/// A token whose signature has not been checked yet.
pub(crate) struct Unverified<'t> {
    signed: &'t str,
    signature: Vec<u8>,
    algorithm: Signature,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    search_rules: SearchRules,
    exp: Option<i64>,
    api_key_uid: String,
}

/// Which indexes a token may search, and the filter for each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SearchRules(Vec<(IndexPattern, Option<Value>)>);

/// What is wrong with a token whose signature is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Forged,
    Expired { until: i64 },
}

impl<'t> Unverified<'t> {
    /// Reads a token; `None` when it is none.
    pub(crate) fn read(token: &'t str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&from_base64url(header)?).ok()?;
        Some(Self {
            signed,
            signature: from_base64url(signature)?,
            algorithm: Signature::named(&header.alg)?,
            claims: serde_json::from_slice(&from_base64url(claims)?).ok()?,
        })
    }

    /// The uid of the key that is said to have signed it.
    pub(crate) fn key_uid(&self) -> String {
        self.claims.api_key_uid.to_ascii_lowercase()
    }

    /// The rules, if the key signed them and they still hold at `now`, in Unix seconds.
    pub(crate) fn verified(self, key: &str, now: i64) -> Result<SearchRules, Flaw> {
        if !self.algorithm.verifies(key, self.signed, &self.signature) {
            return Err(Flaw::Forged);
        }
        match self.claims.exp {
            Some(until) if now > until => Err(Flaw::Expired { until }),
            _ => Ok(self.claims.search_rules),
        }
    }
}

impl SearchRules {
    /// Whether the token may search this index.
    pub(crate) fn allow(&self, uid: &str) -> bool {
        self.0.iter().any(|(pattern, _)| pattern.covers(uid))
    }

    /// The filter for an index, out of the rule that fits it most closely.
    pub(crate) fn filter(&self, uid: &str) -> Result<Option<Filter>, ApiError> {
        let rules = self.0.iter().filter(|(pattern, _)| pattern.covers(uid));
        let closest = rules.max_by_key(|(pattern, _)| {
            let pattern = pattern.as_str();
            (!pattern.ends_with('*'), pattern.len())
        });
        match closest.and_then(|(_, filter)| filter.clone()) {
            Some(value) => filter::read(value, "searchRules", "invalid_search_filter"),
            None => Ok(None),
        }
    }

    /// The patterns, for a message.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(pattern, _)| pattern.as_str())
    }
}

impl<'de> Deserialize<'de> for SearchRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            List(Vec<String>),
            Map(BTreeMap<String, Option<Rule>>),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rule {
            filter: Option<Value>,
        }
        let given = match Given::deserialize(deserializer)? {
            Given::List(names) => names.into_iter().map(|name| (name, None)).collect(),
            Given::Map(rules) => {
                let rules = rules.into_iter();
                let rules = rules.map(|(name, rule)| (name, rule.and_then(|rule| rule.filter)));
                rules.collect::<Vec<_>>()
            }
        };
        let mut rules = Vec::with_capacity(given.len());
        for (name, filter) in given {
            let pattern = IndexPattern::new(name).map_err(serde::de::Error::custom)?;
            rules.push((pattern, filter));
        }
        Ok(Self(rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: Value) -> Option<SearchRules> {
        serde_json::from_value(value).ok()
    }

    #[test]
    fn the_closest_rule_decides() {
        let rules = rules(json!({
            "*": { "filter": "a = 1" },
            "prod*": { "filter": ["b = 2"] },
            "products": null,
        }))
        .expect("good rules");
        let filter = |uid: &str| {
            let filter = rules.filter(uid).expect("a good filter");
            filter.map(|filter| filter.to_string())
        };
        assert_eq!(filter("other").as_deref(), Some("a = 1"));
        assert_eq!(filter("prod_en").as_deref(), Some("b = 2"));
        assert_eq!(filter("products"), None);
    }

    #[test]
    fn rules_that_cannot_be_read_are_no_rules() {
        for bad in [
            json!("*"),
            json!({ "products": { "filters": "a = 1" } }),
            json!(["a b"]),
            json!(5),
            json!(null),
        ] {
            assert_eq!(rules(bad.clone()), None, "{bad}");
        }
        assert!(!rules(json!([])).expect("no index at all").allow("products"));
    }

    /// `{"alg":"none"}` and a token of one part.
    #[test]
    fn unsigned_tokens_are_no_tokens() {
        for token in [
            "",
            "a.b",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.eyJzZWFyY2hSdWxlcyI6WyIqIl0sImFwaUtleVVpZCI6ImEifQ.",
        ] {
            assert!(Unverified::read(token).is_none(), "{token}");
        }
    }
}
