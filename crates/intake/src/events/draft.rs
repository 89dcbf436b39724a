//! An event before it is checked: the cells of one row, each with the name of its column.
//!
//! Rows of CSV and JSON objects meet here, so that both are held to the same
//! rules and refused in the same words.

use super::mapping::EventMapping;
use super::part::Part;
use crate::error::excerpt;
use crate::moment::{moment_of_number, parse_moment};
use crate::names::{attribute, kind_of};
use crate::read::Fields;
use crate::{Map, Rejected, parse_price};
use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use serde_json::Value;
use std::str::FromStr;

/// Bytes of an id of an event, basket or query: as many as a user id may have.
const LONGEST_ID: usize = 512;
const LONGEST_QUERY: usize = 4096;

#[derive(Clone, Copy)]
enum Cell<'a> {
    Missing,
    Text(&'a str),
    Value(&'a Value),
}

/// The cells of one row by part.
pub(super) struct Draft<'a> {
    row: u64,
    fixed_kind: Option<EventKind>,
    cells: [(&'a str, Cell<'a>); Part::COUNT],
}

/// Which column of a CSV holds which part.
pub(super) type Plan = [Vec<usize>; Part::COUNT];

/// Milliseconds by which a clock may be ahead of ours: time zones and careless clocks.
const CLOCK_SKEW: i64 = 86_400_000;

/// Remembers the last time that was read: lines of one order share it.
#[derive(Debug, Default)]
pub(super) struct Moments {
    text: String,
    moment: Option<Timestamp>,
}

impl Moments {
    fn read(&mut self, text: &str) -> Result<Timestamp, String> {
        if let Some(moment) = self.moment
            && self.text == text
        {
            return Ok(moment);
        }
        let moment = parse_moment(text).map_err(|error| error.to_string())?;
        self.text.clear();
        self.text.push_str(text);
        self.moment = Some(moment);
        Ok(moment)
    }
}

impl<'a> Draft<'a> {
    pub(super) fn of_object(mapping: &'a EventMapping, object: &'a Map, row: u64) -> Self {
        let cells = Part::ALL.map(|part| {
            let names = mapping.names(part).as_slice();
            for name in names {
                match attribute(object, name) {
                    None | Some(Value::Null) => {}
                    Some(value) => return (name.as_str(), Cell::Value(value)),
                }
            }
            (
                names.first().map_or(part.name(), String::as_str),
                Cell::Missing,
            )
        });
        Self {
            row,
            fixed_kind: mapping.fixed_kind,
            cells,
        }
    }

    pub(super) fn of_record(
        mapping: &'a EventMapping,
        plan: &Plan,
        fields: Fields<'a>,
        row: u64,
    ) -> Self {
        let mut cells = [("", Cell::Missing); Part::COUNT];
        for ((cell, part), columns) in cells.iter_mut().zip(Part::ALL).zip(plan) {
            cell.0 = mapping
                .names(part)
                .as_slice()
                .first()
                .map_or(part.name(), String::as_str);
            let filled = |&column: &usize| {
                fields
                    .get(column)
                    .filter(|text| !text.trim_ascii().is_empty())
            };
            if let Some(text) = columns.iter().find_map(filled) {
                cell.1 = Cell::Text(text);
            }
        }
        Self {
            row,
            fixed_kind: mapping.fixed_kind,
            cells,
        }
    }

    /// Whether the row says when it happened.
    pub(super) fn has_time(&self) -> bool {
        !matches!(self.cell(Part::Time).1, Cell::Missing)
    }

    /// The event, if the cells make one.
    pub(super) fn event(&self, now: Timestamp, moments: &mut Moments) -> Result<Event, Rejected> {
        let user = self
            .text(Part::User)?
            .ok_or_else(|| self.fault(Part::User, "it is missing"))?;
        let user = UserId::new(user).map_err(|error| self.fault(Part::User, error.to_string()))?;
        let kind = self.kind()?;
        let item = match self.text(Part::Item)? {
            Some(text) => {
                Some(ItemId::new(text).map_err(|error| self.fault(Part::Item, error.to_string()))?)
            }
            None if kind == EventKind::Search => None,
            None => {
                return Err(self.fault(
                    Part::Item,
                    format!("it is missing; an event `{kind}` needs an item"),
                ));
            }
        };
        let query = self.bounded(Part::Query, LONGEST_QUERY)?;
        if kind == EventKind::Search && query.is_none() {
            return Err(self.fault(
                Part::Query,
                "it is missing; an event `search` needs a query",
            ));
        }
        let value = self.number(Part::Value)?;
        if kind == EventKind::Rate && value.is_none() {
            return Err(self.fault(
                Part::Value,
                "it is missing; an event `rate` needs the rating as its value",
            ));
        }
        Ok(Event {
            id: self.bounded(Part::Id, LONGEST_ID)?,
            user,
            kind,
            item,
            query,
            time: self.time(now, moments)?,
            value,
            price: self.number(Part::Price)?,
            quantity: self.number(Part::Quantity)?,
            basket: self.bounded(Part::Basket, LONGEST_ID)?,
            query_id: self.bounded(Part::QueryId, LONGEST_ID)?,
        })
    }

    fn cell(&self, part: Part) -> (&'a str, Cell<'a>) {
        let at = Part::ALL.iter().position(|other| *other == part);
        at.and_then(|at| self.cells.get(at).copied())
            .unwrap_or((part.name(), Cell::Missing))
    }

    fn fault(&self, part: Part, reason: impl Into<String>) -> Rejected {
        Rejected::field(self.row, self.cell(part).0, reason)
    }

    fn kind(&self) -> Result<EventKind, Rejected> {
        match (self.text(Part::Kind)?, self.fixed_kind) {
            (Some(word), _) => EventKind::from_str(&word)
                .map_err(|error| self.fault(Part::Kind, error.to_string())),
            (None, Some(kind)) => Ok(kind),
            (None, None) => {
                let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
                Err(self.fault(
                    Part::Kind,
                    format!("it is missing: use one of {}", kinds.join(", ")),
                ))
            }
        }
    }

    /// The text of a cell; numbers become text, because many ids are numbers.
    fn text(&self, part: Part) -> Result<Option<String>, Rejected> {
        match self.cell(part).1 {
            Cell::Missing => Ok(None),
            Cell::Text(text) => Ok(Some(text.to_owned())),
            Cell::Value(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Cell::Value(Value::String(text)) => Ok(Some(text.clone())),
            Cell::Value(Value::Number(number)) => Ok(Some(match number.as_f64() {
                // Tables turn a column of integers with a gap into floats: 17850.0 is 17850.
                Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                    (float as i64).to_string()
                }
                _ => number.to_string(),
            })),
            Cell::Value(other) => Err(self.fault(
                part,
                format!("expected a text or a number, found {}", kind_of(other)),
            )),
        }
    }

    fn bounded(&self, part: Part, longest: usize) -> Result<Option<String>, Rejected> {
        match self.text(part)? {
            Some(text) if text.len() > longest => Err(self.fault(
                part,
                format!("it is longer than the limit of {longest} bytes"),
            )),
            text => Ok(text),
        }
    }

    fn number(&self, part: Part) -> Result<Option<f64>, Rejected> {
        let text = match self.cell(part).1 {
            Cell::Missing => return Ok(None),
            Cell::Value(Value::Number(number)) => return Ok(number.as_f64()),
            Cell::Text(text) => text,
            Cell::Value(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Cell::Value(Value::String(text)) => text,
            Cell::Value(other) => {
                return Err(
                    self.fault(part, format!("expected a number, found {}", kind_of(other)))
                );
            }
        };
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            Err(_) if part == Part::Price => {
                let price = parse_price(text);
                price
                    .map(Some)
                    .map_err(|error| self.fault(part, format!("`{}`: {error}", excerpt(text))))
            }
            Ok(_) | Err(_) => {
                Err(self.fault(part, format!("`{}` is not a finite number", excerpt(text))))
            }
        }
    }

    /// When it happened; now, if it does not say. A time well ahead of the clock is taken as
    /// now too: one wrong clock would otherwise fade everything else in the shop.
    fn time(&self, now: Timestamp, moments: &mut Moments) -> Result<Timestamp, Rejected> {
        let found = match self.cell(Part::Time).1 {
            Cell::Missing => return Ok(now),
            Cell::Text(text) => moments.read(text),
            Cell::Value(Value::String(text)) if text.trim().is_empty() => return Ok(now),
            Cell::Value(Value::String(text)) => moments.read(text),
            Cell::Value(Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                moment_of_number(number).map_err(|error| error.to_string())
            }
            Cell::Value(other) => Err(format!("expected a time, found {}", kind_of(other))),
        };
        let time = found.map_err(|reason| self.fault(Part::Time, reason))?;
        let is_ahead = time.millis() > now.millis().saturating_add(CLOCK_SKEW);
        Ok(if is_ahead { now } else { time })
    }
}
