//! Cleans a document for the index; the given one stays as it is.
//!
//! What is done depends on the roles: markup leaves the texts, prices become
//! numbers, categories a flat list, dates RFC 3339. Every other text only
//! takes its one form. Each real change is recorded, and a document that needs
//! none is borrowed rather than copied.

mod change;
mod lists;
mod markup;
mod measures;
mod price;
mod text;

#[cfg(test)]
mod tests;

pub use change::{Change, ChangeKind};
pub(crate) use measures::{rating, stock};
pub use price::{PriceFault, parse_price};

use crate::moment::{moment_of_number, parse_moment};
use crate::{Map, Role, Roles};
use change::Log;
use measures::{as_number, plain_number};
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::borrow::Cow;

/// Turns documents into what is indexed. Cleaning a clean document changes nothing.
///
/// ```
/// use intake::{Cleaner, Role, Roles};
///
/// let mut roles = Roles::default();
/// roles.set(Role::Price, vec!["price".to_owned()]);
/// let given = serde_json::json!({"id": 1, "price": "£1,299.00"});
/// let mut changes = Vec::new();
/// let cleaned = Cleaner::new(roles).clean(given.as_object().unwrap(), &mut changes);
/// assert_eq!(cleaned["price"], 1299);
/// assert_eq!(changes.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cleaner {
    treatments: FxHashMap<String, Treatment>,
}

/// What is done with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    /// Any text: brought to its one form.
    Form,
    /// A text for readers: markup is taken out as well.
    Markup,
    /// An address: every byte counts.
    Exact,
    Categories,
    Price,
    Rating,
    Stock,
    Created,
}

/// What became of a value.
enum Outcome {
    Keep,
    Replace(Value),
    Drop,
}

impl Cleaner {
    /// A cleaner for these roles.
    pub fn new(roles: Roles) -> Self {
        let mut treatments = FxHashMap::default();
        for (role, paths) in roles.iter() {
            let treatment = match role {
                Role::Title | Role::Text | Role::Brand => Treatment::Markup,
                Role::Categories => Treatment::Categories,
                Role::Price => Treatment::Price,
                Role::Image => Treatment::Exact,
                Role::Rating => Treatment::Rating,
                Role::Stock => Treatment::Stock,
                Role::Created => Treatment::Created,
                Role::Language => Treatment::Form,
            };
            for path in paths {
                treatments.insert(path.clone(), treatment);
            }
        }
        Self { treatments }
    }

    /// The document as it is indexed; what changed is added to `changes`.
    pub fn clean<'a>(&self, object: &'a Map, changes: &mut Vec<Change>) -> Cow<'a, Map> {
        let mut path = String::new();
        match self.object(object, Treatment::Form, &mut path, &mut Log::new(changes)) {
            Some(cleaned) => Cow::Owned(cleaned),
            None => Cow::Borrowed(object),
        }
    }

    /// The cleaned object, or `None` when nothing had to change.
    fn object(
        &self,
        object: &Map,
        around: Treatment,
        path: &mut String,
        changes: &mut Log<'_>,
    ) -> Option<Map> {
        let mut cleaned: Option<Map> = None;
        let above = path.len();
        for (index, (key, value)) in object.iter().enumerate() {
            if above > 0 {
                path.push('.');
            }
            path.push_str(key);
            // A title given by language is a title in each.
            let inherited = if around == Treatment::Markup {
                around
            } else {
                Treatment::Form
            };
            let treatment = self
                .treatments
                .get(path.as_str())
                .copied()
                .unwrap_or(inherited);
            let outcome = self.value(value, treatment, path, changes);
            path.truncate(above);
            if let (Outcome::Keep, None) = (&outcome, &cleaned) {
                continue;
            }
            let target = cleaned.get_or_insert_with(|| first_entries(object, index));
            match outcome {
                Outcome::Keep => drop(target.insert(key.clone(), value.clone())),
                Outcome::Replace(new) => drop(target.insert(key.clone(), new)),
                Outcome::Drop => {}
            }
        }
        cleaned
    }

    fn value(
        &self,
        value: &Value,
        treatment: Treatment,
        path: &mut String,
        changes: &mut Log<'_>,
    ) -> Outcome {
        if treatment == Treatment::Categories {
            return match lists::flat_categories(value) {
                Some(flat) => {
                    changes.note(
                        path,
                        if flat.is_array() {
                            ChangeKind::ListSplit
                        } else {
                            ChangeKind::TextFormed
                        },
                    );
                    Outcome::Replace(flat)
                }
                None => Outcome::Keep,
            };
        }
        match value {
            Value::String(text) => clean_text(text, treatment, path, changes),
            Value::Number(number) => clean_number(number, treatment, path, changes),
            Value::Array(list) => self.list(list, treatment, path, changes),
            Value::Object(object) => match self.object(object, treatment, path, changes) {
                Some(cleaned) => Outcome::Replace(Value::Object(cleaned)),
                None => Outcome::Keep,
            },
            Value::Null | Value::Bool(_) => Outcome::Keep,
        }
    }

    fn list(
        &self,
        list: &[Value],
        treatment: Treatment,
        path: &mut String,
        changes: &mut Log<'_>,
    ) -> Outcome {
        let mut cleaned: Option<Vec<Value>> = None;
        for (index, value) in list.iter().enumerate() {
            let outcome = self.value(value, treatment, path, changes);
            if let (Outcome::Keep, None) = (&outcome, &cleaned) {
                continue;
            }
            let target =
                cleaned.get_or_insert_with(|| list.get(..index).unwrap_or_default().to_vec());
            match outcome {
                Outcome::Keep => target.push(value.clone()),
                Outcome::Replace(new) => target.push(new),
                Outcome::Drop => {}
            }
        }
        cleaned.map_or(Outcome::Keep, |list| Outcome::Replace(Value::Array(list)))
    }
}

fn first_entries(object: &Map, count: usize) -> Map {
    let mut copy = Map::with_capacity(object.len());
    copy.extend(
        object
            .iter()
            .take(count)
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    copy
}

fn clean_text(text: &str, treatment: Treatment, path: &str, changes: &mut Log<'_>) -> Outcome {
    match treatment {
        Treatment::Exact => Outcome::Keep,
        Treatment::Markup => match markup::plain(text) {
            Some(plain) => {
                changes.note(
                    path,
                    if plain.had_markup {
                        ChangeKind::MarkupStripped
                    } else {
                        ChangeKind::TextFormed
                    },
                );
                Outcome::Replace(Value::String(plain.text))
            }
            None => Outcome::Keep,
        },
        // An address is kept as it is even where no role says that it is one.
        Treatment::Form | Treatment::Categories if is_address(text) => Outcome::Keep,
        Treatment::Form | Treatment::Categories => match text::normalized(text) {
            Some(formed) => {
                changes.note(path, ChangeKind::TextFormed);
                Outcome::Replace(Value::String(formed))
            }
            None => Outcome::Keep,
        },
        // An empty cell is a missing value: nothing is lost with it.
        Treatment::Price | Treatment::Rating | Treatment::Stock | Treatment::Created
            if text.trim().is_empty() =>
        {
            Outcome::Drop
        }
        Treatment::Price => price_of_text(text, path, changes),
        Treatment::Rating => measured(text, measures::rating, path, changes),
        Treatment::Stock => measured(text, measures::stock, path, changes),
        Treatment::Created => match parse_moment(text) {
            Ok(moment) => {
                let formed = moment.to_string();
                if formed == text {
                    return Outcome::Keep;
                }
                changes.note(path, ChangeKind::DateFormed);
                Outcome::Replace(Value::String(formed))
            }
            Err(_) => dropped(ChangeKind::Unreadable, path, changes),
        },
    }
}

fn price_of_text(text: &str, path: &str, changes: &mut Log<'_>) -> Outcome {
    match parse_price(text) {
        Ok(price) => {
            // A number that merely stood in quotes has not changed.
            if plain_number(text).is_none() {
                changes.note(path, ChangeKind::PriceParsed);
            }
            Outcome::Replace(as_number(price))
        }
        Err(PriceFault::Negative) => dropped(ChangeKind::NegativePrice, path, changes),
        Err(PriceFault::Unreadable) => dropped(ChangeKind::Unreadable, path, changes),
    }
}

fn measured(
    text: &str,
    read: fn(&str) -> Option<Value>,
    path: &str,
    changes: &mut Log<'_>,
) -> Outcome {
    let formed = text::normalized(text);
    match read(formed.as_deref().unwrap_or(text)) {
        Some(value) => {
            if plain_number(text).is_none() {
                changes.note(path, ChangeKind::NumberParsed);
            }
            Outcome::Replace(value)
        }
        None => dropped(ChangeKind::Unreadable, path, changes),
    }
}

fn clean_number(
    number: &serde_json::Number,
    treatment: Treatment,
    path: &str,
    changes: &mut Log<'_>,
) -> Outcome {
    let number = number.as_f64().unwrap_or(f64::NAN);
    match treatment {
        Treatment::Price if number < 0.0 => dropped(ChangeKind::NegativePrice, path, changes),
        Treatment::Created => match moment_of_number(number) {
            Ok(moment) => {
                changes.note(path, ChangeKind::DateFormed);
                Outcome::Replace(Value::String(moment.to_string()))
            }
            Err(_) => dropped(ChangeKind::Unreadable, path, changes),
        },
        _ => Outcome::Keep,
    }
}

fn dropped(kind: ChangeKind, path: &str, changes: &mut Log<'_>) -> Outcome {
    changes.note(path, kind);
    Outcome::Drop
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
