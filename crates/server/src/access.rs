//! What the sender of a request may do, as its handler sees it.
//!
//! The guard in `auth` has checked the route's action and the index in the path. Which
//! other indexes a request names, in a body or a listing, only its handler knows.

use crate::actions;
use crate::error::ApiError;
use crate::fields::listed;
use crate::keyring::includes;
use crate::tenant::SearchRules;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::{Filter, IndexPattern};
use engine::ApiKey;
use std::sync::Arc;

/// What a request may do.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// The master key was given, or none is needed.
    Everything,
    Limited(Arc<Limited>),
}

/// What a key allows, narrowed by a tenant token if there is one.
#[derive(Debug)]
pub(crate) struct Limited {
    pub(crate) key: ApiKey,
    pub(crate) rules: Option<SearchRules>,
}

impl Access {
    /// Whether it allows an action.
    pub(crate) fn allows(&self, action: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Limited(limited) => {
                let mut granted = limited.key.actions.iter();
                granted.any(|granted| actions::covers(granted, action))
            }
        }
    }

    /// Whether it reaches an index.
    pub(crate) fn sees(&self, uid: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Limited(limited) => {
                let rules = limited.rules.as_ref();
                covered(&limited.key.indexes, uid) && rules.is_none_or(|rules| rules.allow(uid))
            }
        }
    }

    /// Refuses an index out of reach.
    pub(crate) fn require(&self, uid: &str) -> Result<(), ApiError> {
        let Self::Limited(limited) = self else {
            return Ok(());
        };
        if self.sees(uid) {
            return Ok(());
        }
        // What a token allows its bearer can read in it; what the key behind it allows, not.
        Err(refusal(match &limited.rules {
            Some(rules) if !rules.allow(uid) => format!(
                "The provided tenant token cannot access the index `{uid}`, allowed indexes are [{}].",
                listed(rules.patterns())
            ),
            Some(_) => format!(
                "The API key used to generate this tenant token cannot access the index `{uid}`."
            ),
            None => format!(
                "The API key cannot access the index `{uid}`, authorized indexes are [{}].",
                listed(limited.key.indexes.iter().map(IndexPattern::as_str))
            ),
        }))
    }

    /// The patterns of the indexes it reaches; `None` for all. Tenant tokens list nothing.
    pub(crate) fn within(&self) -> Option<Vec<IndexPattern>> {
        match self {
            Self::Everything => None,
            Self::Limited(limited) => Some(limited.key.indexes.clone()),
        }
    }

    /// A request's filter, narrowed to what a tenant may find in this index.
    pub(crate) fn narrow(
        &self,
        uid: &str,
        filter: Option<Filter>,
    ) -> Result<Option<Filter>, ApiError> {
        let Self::Limited(limited) = self else {
            return Ok(filter);
        };
        let rule = match &limited.rules {
            Some(rules) => rules.filter(uid)?,
            None => None,
        };
        let both: Vec<Filter> = rule.into_iter().chain(filter).collect();
        Ok((!both.is_empty()).then(|| Filter::and(both)))
    }

    /// Whether it may do all that a key may.
    pub(crate) fn includes(&self, key: &ApiKey) -> bool {
        match self {
            Self::Everything => true,
            Self::Limited(limited) => limited.rules.is_none() && includes(&limited.key, key),
        }
    }
}

fn covered(patterns: &[IndexPattern], uid: &str) -> bool {
    patterns.iter().any(|pattern| pattern.covers(uid))
}

/// 403, with the reason if it is one that its reader may know.
pub(crate) fn refusal(message: impl Into<String>) -> ApiError {
    ApiError::auth(StatusCode::FORBIDDEN, "invalid_api_key", message)
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // The guard stands before every route; without its word nothing is allowed.
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| ApiError::internal("a route is not guarded"))
    }
}
