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

/// The changes of one document, behind those of the documents before it.
pub(super) struct Log<'a> {
    changes: &'a mut Vec<Change>,
    start: usize,
}

impl<'a> Log<'a> {
    pub(super) fn new(changes: &'a mut Vec<Change>) -> Self {
        let start = changes.len();
        Self { changes, start }
    }

    /// Records a change, once for all elements of a list.
    pub(super) fn note(&mut self, path: &str, what: ChangeKind) {
        let own = self.changes.get(self.start..).unwrap_or_default();
        let mut of_field = own.iter().rev().take_while(|change| change.field == path);
        if !of_field.any(|change| change.what == what) {
            self.changes.push(Change {
                field: path.to_owned(),
                what,
            });
        }
    }
}
