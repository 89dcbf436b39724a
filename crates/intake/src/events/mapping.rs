//! Which column or attribute holds which part of an event.
//!
//! Several names may stand for one part; the first that has a value counts.
//! The kind may be fixed instead, for files that hold events of one kind.

use super::draft::{Draft, Moments};
use super::known::{self, MissingColumns};
use super::part::Part;
use crate::{Names, Rejected, Row};
use domain::{Event, EventKind, Timestamp, UnknownEventKind};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Where the parts of an event are found. A part without a name is not read.
///
/// ```
/// use intake::EventMapping;
///
/// let mapping = EventMapping::parse("user=CustomerID,item=StockCode,time=InvoiceDate,kind:=purchase")?;
/// assert_eq!(mapping.user.as_slice(), ["CustomerID"]);
/// # Ok::<(), intake::MappingSyntax>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EventMapping {
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub id: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub user: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub kind: Names,
    /// The kind of every event whose `kind` column is absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_kind: Option<EventKind>,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub item: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub query: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub time: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub value: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub price: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub quantity: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub basket: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub query_id: Names,
}

/// Why the text of a mapping could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingSyntax {
    #[error(
        "`{0}` is not `part=column`; write for example `user=CustomerID,item=StockCode,kind:=purchase`"
    )]
    Entry(String),
    #[error(
        "`{0}` is no part of an event: use user, kind, item, query, time, value, price, quantity, basket, queryId or id"
    )]
    Part(String),
    #[error("`{0}` cannot be fixed with `:=`; only `kind` can")]
    Fixed(String),
    #[error("`{0}` is mapped twice")]
    Twice(String),
    #[error(transparent)]
    Kind(#[from] UnknownEventKind),
}

impl EventMapping {
    /// Our own JSON names.
    pub fn native() -> Self {
        Self {
            id: Names::from(["eventId", "id"]),
            user: Names::from(["userId", "user"]),
            kind: Names::from(["kind", "type", "event"]),
            fixed_kind: None,
            item: Names::from(["itemId", "item", "documentId"]),
            query: Names::from(["query", "q"]),
            time: Names::from(["time", "timestamp", "at"]),
            value: Names::from(["value", "rating"]),
            price: Names::from(["price"]),
            quantity: Names::from(["quantity"]),
            basket: Names::from(["basket", "basketId", "orderId", "order"]),
            query_id: Names::from(["queryId", "queryUid"]),
        }
    }

    /// Recognises the header of a usual shop export.
    pub fn guess(columns: &[&str]) -> Result<Self, MissingColumns> {
        Self::default().completed_by(columns)
    }

    /// This mapping with what it leaves open guessed from a header. The names it gives must be in the header.
    pub fn completed_by(&self, columns: &[&str]) -> Result<Self, MissingColumns> {
        let mut mapping = self.clone();
        known::complete(&mut mapping, columns)?;
        Ok(mapping)
    }

    /// This mapping with what it leaves open taken from our own names.
    pub fn completed_natively(&self) -> Self {
        let mut mapping = self.clone();
        let native = Self::native();
        for part in Part::ALL {
            let fixed = part == Part::Kind && self.fixed_kind.is_some();
            if mapping.names(part).is_empty() && !fixed {
                *mapping.names_mut(part) = native.names(part).clone();
            }
        }
        mapping
    }

    /// Reads `part=column` entries between commas; `a|b` gives several columns, `kind:=purchase` fixes the kind.
    pub fn parse(text: &str) -> Result<Self, MappingSyntax> {
        let mut mapping = Self::default();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (part, column) = entry
                .split_once('=')
                .ok_or_else(|| MappingSyntax::Entry(entry.to_owned()))?;
            let (part, fixed) = match part.strip_suffix(':') {
                Some(part) => (part.trim(), Some(column.trim())),
                None => (part.trim(), None),
            };
            let known =
                Part::from_name(part).ok_or_else(|| MappingSyntax::Part(part.to_owned()))?;
            let columns: Vec<String> = column
                .split('|')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect();
            if columns.is_empty() {
                return Err(MappingSyntax::Entry(entry.to_owned()));
            }
            match fixed {
                Some(word) if known == Part::Kind => {
                    mapping.fixed_kind = Some(EventKind::from_str(word)?)
                }
                Some(_) => return Err(MappingSyntax::Fixed(part.to_owned())),
                None if mapping.names(known).is_empty() => {
                    *mapping.names_mut(known) = Names(columns)
                }
                None => return Err(MappingSyntax::Twice(part.to_owned())),
            }
        }
        Ok(mapping)
    }

    /// The event in a row. An event without a time happened `now`.
    pub fn event(&self, row: &Row, now: Timestamp) -> Result<Event, Rejected> {
        Draft::of_object(self, &row.object, row.number).event(now, &mut Moments::default())
    }

    pub(super) fn names(&self, part: Part) -> &Names {
        match part {
            Part::Id => &self.id,
            Part::User => &self.user,
            Part::Kind => &self.kind,
            Part::Item => &self.item,
            Part::Query => &self.query,
            Part::Time => &self.time,
            Part::Value => &self.value,
            Part::Price => &self.price,
            Part::Quantity => &self.quantity,
            Part::Basket => &self.basket,
            Part::QueryId => &self.query_id,
        }
    }

    pub(super) fn names_mut(&mut self, part: Part) -> &mut Names {
        match part {
            Part::Id => &mut self.id,
            Part::User => &mut self.user,
            Part::Kind => &mut self.kind,
            Part::Item => &mut self.item,
            Part::Query => &mut self.query,
            Part::Time => &mut self.time,
            Part::Value => &mut self.value,
            Part::Price => &mut self.price,
            Part::Quantity => &mut self.quantity,
            Part::Basket => &mut self.basket,
            Part::QueryId => &mut self.query_id,
        }
    }
}
