//! The parts of an event, as columns name them.
//!
//! One list drives the mapping's syntax, its guesses and the reading of rows.

use std::fmt;

/// A part of an event that a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    User,
    Kind,
    Item,
    Query,
    Time,
    Value,
    Price,
    Quantity,
    Basket,
    QueryId,
    Id,
}

impl Part {
    pub(super) const COUNT: usize = 11;

    /// In the order in which a guess hands out columns.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::User,
        Self::Kind,
        Self::Item,
        Self::Query,
        Self::Time,
        Self::Value,
        Self::Price,
        Self::Quantity,
        Self::Basket,
        Self::QueryId,
        Self::Id,
    ];

    /// The word for it in a mapping.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Kind => "kind",
            Self::Item => "item",
            Self::Query => "query",
            Self::Time => "time",
            Self::Value => "value",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::Basket => "basket",
            Self::QueryId => "queryId",
            Self::Id => "id",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|part| part.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
