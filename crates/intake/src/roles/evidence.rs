//! What the values of an attribute say about its role.
//!
//! A name alone proves little: `price` may hold a note and `stock` a code. An
//! attribute plays a role only if its values could.

use super::Role;
use crate::clean::{rating, stock};
use crate::moment::{moment_of_number, parse_moment};
use crate::{Map, parse_price};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

/// Share of the values that must fit.
const MOST: f64 = 0.8;
/// Share of the rows that must have a value at all.
const PRESENT: f64 = 0.05;
/// From so many rows on, how different the values are says something.
const ENOUGH_ROWS: usize = 10;
/// Unix times before 1973 are other numbers.
const UNIX_FROM: f64 = 1e8;

/// An attribute with its values, the empty ones left out.
pub(super) struct Attribute<'a> {
    pub(super) path: String,
    values: Vec<&'a Value>,
    rows: usize,
    /// Of the texts, and of the texts in lists.
    mean_chars: f64,
    distinct: f64,
}

/// The attributes of a sample and of the objects in it, in the order in which they come.
pub(super) fn attributes<'a>(sample: &[&'a Map]) -> Vec<Attribute<'a>> {
    let mut found: Vec<(String, Vec<&'a Value>)> = Vec::new();
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    let mut add = |path: String, value: &'a Value| {
        let at = *places.entry(path).or_insert_with_key(|path| {
            found.push((path.clone(), Vec::new()));
            found.len() - 1
        });
        if !is_empty(value)
            && let Some((_, values)) = found.get_mut(at)
        {
            values.push(value);
        }
    };
    for row in sample {
        for (key, value) in row.iter() {
            if let Value::Object(inner) = value {
                inner
                    .iter()
                    .for_each(|(name, value)| add(format!("{key}.{name}"), value));
            }
            add(key.clone(), value);
        }
    }
    found
        .into_iter()
        .map(|(path, values)| Attribute::new(path, values, sample.len()))
        .collect()
}

impl<'a> Attribute<'a> {
    fn new(path: String, values: Vec<&'a Value>, rows: usize) -> Self {
        let mut different = FxHashSet::default();
        let (mut chars, mut texts) = (0, 0);
        for value in &values {
            different.insert(value.to_string());
            let list = value
                .as_array()
                .map_or(std::slice::from_ref(*value), Vec::as_slice);
            for text in list.iter().filter_map(Value::as_str) {
                chars += text.chars().count();
                texts += 1;
            }
        }
        let mean_chars = chars as f64 / f64::from(u32::max(texts, 1));
        let distinct = different.len() as f64 / values.len().max(1) as f64;
        Self {
            path,
            values,
            rows,
            mean_chars,
            distinct,
        }
    }

    /// Whether the values could play the role.
    pub(super) fn could_be(&self, role: Role) -> bool {
        if self.present() < PRESENT {
            return false;
        }
        let many = self.values.len() >= ENOUGH_ROWS;
        match role {
            Role::Title => {
                self.most(is_prose)
                    && (3.0..=200.0).contains(&self.mean_chars)
                    && (!many || self.distinct > 0.3)
            }
            Role::Text => self.most(is_text) && self.mean_chars >= 4.0,
            Role::Brand => self.most(is_prose) && self.mean_chars <= 60.0,
            Role::Categories => self.most(is_category) && self.mean_chars <= 200.0,
            Role::Price => self.most(is_price),
            Role::Image => self.most(is_image),
            Role::Rating => self.most(is_rating),
            Role::Stock => self.most(is_stock),
            Role::Language => {
                self.most(Value::is_string)
                    && self.mean_chars <= 12.0
                    && (!many || self.distinct < 0.5)
            }
            Role::Created => self.most(is_moment),
        }
    }

    /// Whether the values alone, whatever the name, leave hardly a doubt.
    pub(super) fn must_be(&self, role: Role) -> bool {
        if !self.could_be(role) {
            return false;
        }
        match role {
            Role::Title => {
                self.mean_chars >= 8.0
                    && self.distinct > 0.7
                    && self.present() >= MOST
                    && self.most(has_several_words)
            }
            Role::Categories => self.most(is_path),
            Role::Price => self.most(has_currency_sign),
            Role::Image => self.most(is_image_file),
            Role::Text
            | Role::Brand
            | Role::Rating
            | Role::Stock
            | Role::Language
            | Role::Created => false,
        }
    }

    /// How sparse values count against an attribute, from 0 to 10.
    pub(super) fn fullness(&self) -> u32 {
        (self.present() * 10.0).round() as u32
    }

    /// The evidence in words.
    pub(super) fn facts(&self, role: Role) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let present = format!("a value in {} of the rows", percent(self.present()));
        match role {
            Role::Title | Role::Text => format!(
                "{present}, {:.0} characters on average, {} of them different",
                self.mean_chars,
                percent(self.distinct)
            ),
            Role::Brand | Role::Categories | Role::Language => {
                let different = (self.distinct * self.values.len() as f64).round();
                format!("{present}, {different} different")
            }
            Role::Price => format!(
                "{present}, {} of them prices",
                percent(self.share(is_price))
            ),
            Role::Image => format!(
                "{present}, {} of them addresses of images",
                percent(self.share(is_image))
            ),
            Role::Rating => format!(
                "{present}, {} of them between 0 and 10",
                percent(self.share(is_rating))
            ),
            Role::Stock => format!(
                "{present}, {} of them counts or yes and no",
                percent(self.share(is_stock))
            ),
            Role::Created => format!(
                "{present}, {} of them dates",
                percent(self.share(is_moment))
            ),
        }
    }

    fn present(&self) -> f64 {
        self.values.len() as f64 / self.rows.max(1) as f64
    }

    fn share(&self, fits: impl Fn(&Value) -> bool) -> f64 {
        let fitting = self.values.iter().filter(|value| fits(value)).count();
        fitting as f64 / self.values.len().max(1) as f64
    }

    fn most(&self, fits: impl Fn(&Value) -> bool) -> bool {
        self.share(fits) >= MOST
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://")
        || text.starts_with("https://")
        || text.starts_with("//")
        || text.starts_with("data:")
}

/// A text for readers: neither an address nor a bare number.
fn is_prose(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| !is_address(text) && text.contains(char::is_alphabetic))
}

fn is_text(value: &Value) -> bool {
    is_prose(value)
        || value
            .as_array()
            .is_some_and(|list| list.iter().all(is_prose))
}

fn has_several_words(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.trim().contains(' ') || text.chars().any(|c| c as u32 >= 0x2E80))
}

fn is_category(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(is_category),
        Value::Object(object) => object.values().any(is_prose),
        other => is_prose(other),
    }
}

/// A path of categories, or a list of such paths.
fn is_path(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(" > "),
        Value::Array(list) => list.iter().all(|inner| {
            inner
                .as_array()
                .is_some_and(|path| path.iter().all(is_prose))
                || inner.as_str().is_some_and(|text| text.contains(" > "))
        }),
        _ => false,
    }
}

fn is_price(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number >= 0.0),
        Value::String(text) => text.len() <= 64 && parse_price(text).is_ok(),
        _ => false,
    }
}

fn has_currency_sign(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.contains(['$', '£', '€', '¥', '₹', '元', '￥']))
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(list) => list.first().and_then(Value::as_str),
        _ => None,
    }
}

fn is_image(value: &Value) -> bool {
    first_text(value).is_some_and(is_address) || is_image_file(value)
}

fn is_image_file(value: &Value) -> bool {
    const ENDINGS: [&str; 7] = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".svg"];
    first_text(value).is_some_and(|text| {
        let path = text
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !path.contains(char::is_whitespace) && ENDINGS.iter().any(|ending| path.ends_with(ending))
    })
}

fn is_rating(value: &Value) -> bool {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() <= 64 => rating(text).and_then(|rating| rating.as_f64()),
        _ => None,
    };
    number.is_some_and(|number| (0.0..=10.0).contains(&number))
}

fn is_stock(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        Value::String(text) => text.len() <= 64 && stock(text).is_some(),
        _ => false,
    }
}

fn is_moment(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|number| number >= UNIX_FROM && moment_of_number(number).is_ok()),
        // The number of a text is no better than a number.
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) => number >= UNIX_FROM && moment_of_number(number).is_ok(),
            Err(_) => text.len() <= 64 && parse_moment(text).is_ok(),
        },
        _ => false,
    }
}
