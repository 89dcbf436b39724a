//! The query string: how many, from where, and of which categories.
//!
//! Names that are not known are passed over, as the convention does.

use crate::error::ApiError;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

/// How many a list has unless told.
const USUAL: usize = 10;
/// Entries in one page of a listing; the cursor leads on.
const MOST_LISTED: usize = 10_000;
/// Recommendations within reach of paging.
const MOST_RECOMMENDED: usize = 1_000;
/// Categories in one request.
const MOST_CATEGORIES: usize = 100;

/// The query string as pairs.
pub(super) struct Asked(Vec<(String, String)>);

/// A part of an ordered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub n: usize,
    pub offset: usize,
}

impl Part {
    /// How far into the list it reaches.
    pub(super) fn end(self) -> usize {
        self.n + self.offset
    }

    /// The part of a list that is whole as far as it reaches.
    pub(super) fn of<T>(self, list: Vec<T>) -> Vec<T> {
        list.into_iter().skip(self.offset).take(self.n).collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(ApiError::invalid("bad_request", error.body_text())),
        }
    }
}

impl Asked {
    /// The value of a name; of several the first. An empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// How many entries of a listing.
    pub(super) fn listed(&self) -> Result<usize, ApiError> {
        Ok(self.count("n", USUAL)?.min(MOST_LISTED))
    }

    /// Which part of the recommendations.
    pub(super) fn part(&self) -> Result<Part, ApiError> {
        let offset = self.count("offset", 0)?.min(MOST_RECOMMENDED);
        let n = self.count("n", USUAL)?.min(MOST_RECOMMENDED - offset);
        Ok(Part { n, offset })
    }

    /// The categories an item must have: those of the query string, or that of the path.
    pub(super) fn categories(&self, of_path: Option<String>) -> Result<Vec<String>, ApiError> {
        let named = self.0.iter().filter(|(name, _)| name == "category");
        let mut categories: Vec<String> = named.map(|(_, value)| value.clone()).collect();
        if categories.is_empty() {
            categories.extend(of_path);
        }
        categories.retain(|category| !category.is_empty());
        if categories.len() > MOST_CATEGORIES {
            let message = format!("there are more than {MOST_CATEGORIES} categories");
            return Err(ApiError::invalid("bad_request", message));
        }
        Ok(categories)
    }

    fn count(&self, name: &str, usual: usize) -> Result<usize, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(usual);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            // Beyond what a number can hold is beyond every limit.
            return Ok(text.parse().unwrap_or(usize::MAX));
        }
        let shown: String = text.chars().take(60).collect();
        let message = format!("`{name}` is a whole number from 0 on, not `{shown}`");
        Err(ApiError::invalid("bad_request", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Asked {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Asked(pairs.collect())
    }

    #[test]
    fn counts_have_a_usual_value_a_limit_and_a_refusal() {
        let part = |pairs: &[(&str, &str)]| asked(pairs).part().ok();
        assert_eq!(part(&[]), Some(Part { n: 10, offset: 0 }));
        assert_eq!(part(&[("n", "")]), Some(Part { n: 10, offset: 0 }));
        let far = [("n", "99999999999999999999"), ("offset", "990")];
        assert_eq!(part(&far), Some(Part { n: 10, offset: 990 }));
        for wrong in ["-1", "ten", "1.5", " 1"] {
            assert_eq!(part(&[("n", wrong)]), None, "{wrong}");
        }
    }

    #[test]
    fn categories_of_the_query_come_before_that_of_the_path() {
        let several = asked(&[("category", "a"), ("n", "1"), ("category", "b")]);
        let of_path = || Some("c".to_owned());
        assert_eq!(
            several.categories(of_path()).ok(),
            Some(vec!["a".into(), "b".into()])
        );
        assert_eq!(
            asked(&[]).categories(of_path()).ok(),
            Some(vec!["c".into()])
        );
        assert_eq!(
            asked(&[]).categories(Some(String::new())).ok(),
            Some(vec![])
        );
        let many = vec![("category", "a"); 101];
        assert!(asked(&many).categories(None).is_err());
    }
}
