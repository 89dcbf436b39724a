//! Names from outside, checked once.
//!
//! An index uid and a document's id follow the Meilisearch rules, because clients
//! build URLs and file names from them. What events name is opaque to us.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    #[error(
        "`{0}` is not a valid index uid: use 1 to 400 characters out of a-z A-Z 0-9, hyphens (-) and underscores (_)"
    )]
    IndexUid(String),
    #[error(
        "`{0}` is not a valid index uid pattern: use an index uid, optionally with a `*` at its end"
    )]
    IndexPattern(String),
    #[error(
        "`{0}` is not a valid document identifier: use an integer or a string of at most 511 bytes out of a-z A-Z 0-9, hyphens (-) and underscores (_)"
    )]
    DocumentId(String),
    #[error("an item id must have 1 to 511 bytes and no control characters")]
    ItemId,
    #[error("a user id must have 1 to 512 bytes and no control characters")]
    UserId,
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Shortens a refused name for its error message.
fn excerpt(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

macro_rules! id_type {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id_type!(IndexUid, "The name of one catalogue, e.g. `products`.");
id_type!(
    ItemId,
    "The primary key of one item, as text; or what an event calls an item."
);
id_type!(UserId, "Whoever events belong to; opaque to the engine.");

impl IndexUid {
    /// Checks the Meilisearch rule for index uids.
    pub fn new(raw: impl Into<String>) -> Result<Self, IdError> {
        let raw = raw.into();
        if (1..=400).contains(&raw.len()) && is_plain(&raw) {
            Ok(Self(raw))
        } else {
            Err(IdError::IndexUid(excerpt(&raw)))
        }
    }
}

impl ItemId {
    /// Accepts what an event may name: 1 to 511 bytes without control characters. An
    /// item that no document can have is kept and counted as unknown.
    pub fn new(raw: impl Into<String>) -> Result<Self, IdError> {
        let raw = raw.into();
        if (1..=511).contains(&raw.len()) && !raw.chars().any(char::is_control) {
            Ok(Self(raw))
        } else {
            Err(IdError::ItemId)
        }
    }

    /// Checks the Meilisearch rule for document identifiers.
    pub fn of_document(raw: impl Into<String>) -> Result<Self, IdError> {
        let raw = raw.into();
        if (1..=511).contains(&raw.len()) && is_plain(&raw) {
            Ok(Self(raw))
        } else {
            Err(IdError::DocumentId(excerpt(&raw)))
        }
    }
}

impl UserId {
    /// Accepts any text of 1 to 512 bytes without control characters.
    pub fn new(raw: impl Into<String>) -> Result<Self, IdError> {
        let raw = raw.into();
        if (1..=512).contains(&raw.len()) && !raw.chars().any(char::is_control) {
            Ok(Self(raw))
        } else {
            Err(IdError::UserId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_break_a_path_are_refused() {
        for bad in ["", "../x", "a b", "é", &"a".repeat(401)] {
            assert!(IndexUid::new(bad).is_err(), "{bad}");
        }
        assert!(IndexUid::new("products-2_EN").is_ok());
        assert!(ItemId::of_document("a".repeat(511)).is_ok());
        assert!(ItemId::of_document("a/b").is_err());
        assert!(ItemId::new("BANK CHARGES").is_ok());
        assert!(ItemId::new("a\tb").is_err());
        assert!(UserId::new("客户 42").is_ok());
        assert!(UserId::new("a\nb").is_err());
    }
}
