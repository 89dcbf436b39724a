//! What cleaning did to a field.
//!
//! Changes are counted and can be listed, so that a shop sees what its data
//! looks like to the engine.

use serde::Serialize;
use std::fmt;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ChangeKind {
    #[serde(rename = "html stripped")]
    MarkupStripped,
    /// Unicode form, control characters or white space.
    #[serde(rename = "text normalised")]
    TextFormed,
    #[serde(rename = "price parsed")]
    PriceParsed,
    #[serde(rename = "number parsed")]
    NumberParsed,
    #[serde(rename = "date parsed")]
    DateFormed,
    #[serde(rename = "list flattened")]
    ListSplit,
    #[serde(rename = "negative price dropped")]
    NegativePrice,
    #[serde(rename = "unreadable value dropped")]
    Unreadable,
}

impl ChangeKind {
    /// The words used in every interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MarkupStripped => "html stripped",
            Self::TextFormed => "text normalised",
            Self::PriceParsed => "price parsed",
            Self::NumberParsed => "number parsed",
            Self::DateFormed => "date parsed",
            Self::ListSplit => "list flattened",
            Self::NegativePrice => "negative price dropped",
            Self::Unreadable => "unreadable value dropped",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One field that is indexed otherwise than it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The attribute's dotted path.
    pub field: String,
    pub what: ChangeKind,
}

/// Records a change, once for all elements of a list.
pub(super) fn note(changes: &mut Vec<Change>, path: &str, what: ChangeKind) {
    if !changes
        .last()
        .is_some_and(|last| last.what == what && last.field == path)
    {
        changes.push(Change {
            field: path.to_owned(),
            what,
        });
    }
}
