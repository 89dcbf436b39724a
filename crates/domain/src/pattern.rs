//! Which indexes something is about: one by its uid, or all whose uid begins alike.
//!
//! `products` is one index, `products*` all that begin so, `*` every one. A pattern
//! without a star must be a valid uid, so that a misspelt one is refused when it is given.

use crate::{IdError, IndexUid};
use serde::{Deserialize, Serialize};

/// An index uid, or the beginning of some with a `*` behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IndexPattern(String);

impl IndexPattern {
    /// Checks a pattern.
    pub fn new(raw: impl Into<String>) -> Result<Self, IdError> {
        let raw = raw.into();
        let beginning = raw.strip_suffix('*').unwrap_or(&raw);
        if raw != "*" {
            IndexUid::new(beginning).map_err(|_| IdError::IndexPattern(excerpt(&raw)))?;
        }
        Ok(Self(raw))
    }

    /// The pattern of every index.
    pub fn every() -> Self {
        Self("*".to_owned())
    }

    /// Whether it covers all indexes.
    pub fn is_every(&self) -> bool {
        self.0 == "*"
    }

    /// Whether it covers the index with this uid.
    pub fn covers(&self, uid: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => uid.starts_with(beginning),
            None => uid == self.0,
        }
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shortens a refused pattern for its error message.
fn excerpt(raw: &str) -> String {
    raw.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        let covers = |pattern: &str, uid: &str| {
            IndexPattern::new(pattern)
                .expect("a good pattern")
                .covers(uid)
        };
        assert!(covers("*", "products"));
        assert!(covers("products", "products"));
        assert!(!covers("products", "products_en"));
        assert!(covers("products*", "products"));
        assert!(covers("products*", "products_en"));
        assert!(!covers("products*", "product"));
    }

    #[test]
    fn what_no_index_can_be_called_is_refused() {
        for bad in ["", "**", "a*b", "*a", "a b", "a b*"] {
            assert!(IndexPattern::new(bad).is_err(), "{bad}");
        }
    }
}
