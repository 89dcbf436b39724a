//! The ledger of an index: what is stated of shoppers, and the feedback that they gave.
//!
//! Events say what happened and are only ever added. A statement holds until another takes its
//! place: a shopper has one record, and feedback is one value for a shopper, an item and a kind.
//! Writes are settled when they are accepted: the log holds what the statements are from then
//! on, so that the same record folded twice is as good as once.

mod read;
mod settle;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use settle::{Settled, Unapplied};
pub(crate) use view::{apply, copy, drop_superseded};

use domain::{ItemId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest word for a kind of feedback, in bytes.
const LONGEST_KIND: usize = 256;

/// What a shopper thinks of an item, in the shop's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    pub user: UserId,
    pub item: ItemId,
    pub kind: FeedbackKind,
    /// Finite.
    pub value: f64,
    pub time: Timestamp,
    pub comment: String,
}

/// What a shop calls a kind of feedback: `read`, `star`, `watch` …
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedbackKind(String);

/// The word is no kind of feedback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind of feedback must have 1 to 256 bytes and no control characters")]
pub struct FeedbackKindError;

impl FeedbackKind {
    /// Accepts any text of 1 to 256 bytes without control characters.
    pub fn new(raw: impl Into<String>) -> Result<Self, FeedbackKindError> {
        let raw = raw.into();
        if (1..=LONGEST_KIND).contains(&raw.len()) && !raw.chars().any(char::is_control) {
            Ok(Self(raw))
        } else {
            Err(FeedbackKindError)
        }
    }

    /// The word as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose feedback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackOf {
    User(UserId),
    Item(ItemId),
    Pair(UserId, ItemId),
}

/// One statement to make or to take back.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerChange {
    /// The record of a shopper from now on.
    PutShopper(UserId, Map<String, Value>),
    /// Attributes laid over those of the record; `null` takes one out.
    PatchShopper(UserId, Map<String, Value>),
    /// An empty record where there is none.
    EnsureShopper(UserId),
    RemoveShopper(UserId),
    /// Everything there is of a shopper, the record and all feedback. The compaction of the log
    /// drops what it said.
    ForgetShopper(UserId),
    /// The value is added to that of the same kind, shopper and item.
    AddFeedback(Feedback),
    /// The feedback takes the place of the same kind, shopper and item.
    SetFeedback(Feedback),
    /// Of one kind, or of all.
    RemoveFeedback(FeedbackOf, Option<FeedbackKind>),
}

/// One statement as it is from a record of the log on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Statement {
    /// Attributes as JSON text; `None` when there is no record any more.
    Shopper {
        id: String,
        attributes: Option<String>,
    },
    Feedback {
        key: FeedbackKey,
        given: Option<Given>,
    },
}

/// What feedback is about; there is one of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedbackKey {
    pub user: String,
    pub item: String,
    pub kind: String,
}

/// What feedback says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Given {
    pub value: f64,
    pub time: Timestamp,
    pub comment: String,
}

impl Feedback {
    /// What it is about.
    pub fn key(&self) -> FeedbackKey {
        FeedbackKey {
            user: self.user.to_string(),
            item: self.item.to_string(),
            kind: self.kind.0.clone(),
        }
    }
}
