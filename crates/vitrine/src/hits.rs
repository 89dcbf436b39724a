//! Found or recommended items as a table for people.
//!
//! The columns come from the roles of the index: whatever attribute is the title
//! is shown as the title.

use crate::address::path;
use crate::client::Client;
use crate::roles;
use crate::table::Table;
use intake::Role;
use serde_json::Value;

/// Reasons shown of one recommendation.
const REASONS: usize = 3;

/// Which attributes stand in the table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    key: Option<String>,
    title: Option<String>,
    price: Option<String>,
}

impl Columns {
    /// The columns by the roles in force in an index.
    pub fn of_index(client: &Client, index: &str) -> anyhow::Result<Self> {
        let info = client.get(&path(&["indexes", index]))?;
        let (roles, _) = roles::of_server(client, index)?;
        let first = |role: Role| roles.first(role).map(str::to_owned);
        Ok(Self {
            key: info
                .get("primaryKey")
                .and_then(Value::as_str)
                .map(str::to_owned),
            title: first(Role::Title),
            price: first(Role::Price),
        })
    }

    /// Columns by name.
    #[cfg(test)]
    pub fn named(key: &str, title: Option<&str>, price: Option<&str>) -> Self {
        let owned = |name: &str| name.to_owned();
        Self {
            key: Some(owned(key)),
            title: title.map(owned),
            price: price.map(owned),
        }
    }

    /// The id of a hit.
    pub fn id(&self, hit: &Value) -> String {
        attribute(hit, self.key.as_deref())
    }

    /// The title of a hit.
    pub fn title(&self, hit: &Value) -> String {
        attribute(hit, self.title.as_deref())
    }
}

/// A table of hits.
pub fn hits_table<'a>(hits: impl Iterator<Item = &'a Value>, columns: &Columns) -> String {
    let mut table = Table::new(&["title", "id", "price", "score", "because"]);
    let mut count = 0_usize;
    for hit in hits {
        count += 1;
        table.row(vec![
            columns.title(hit),
            columns.id(hit),
            attribute(hit, columns.price.as_deref()),
            score(hit),
            because(hit),
        ]);
    }
    if count == 0 {
        String::new()
    } else {
        table.render()
    }
}

/// An attribute by its dotted path, as short text.
fn attribute(hit: &Value, name: Option<&str>) -> String {
    let Some(name) = name else {
        return String::new();
    };
    let direct = hit.get(name);
    let value = direct.or_else(|| name.split('.').try_fold(hit, |value, part| value.get(part)));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The score of a found or of a recommended item.
fn score(hit: &Value) -> String {
    let recommended = hit.get("_recommendation").and_then(|why| why.get("score"));
    let score = hit
        .get("_rankingScore")
        .or(recommended)
        .and_then(Value::as_f64);
    score.map_or_else(String::new, |score| {
        // Enough digits to tell neighbours apart, whatever the scale of the scorer.
        let digits = if score.abs() >= 100.0 { 1e1 } else { 1e4 };
        ((score * digits).round() / digits).to_string()
    })
}

/// The source of a recommendation, and with `explain` what it rests on.
fn because(hit: &Value) -> String {
    let Some(why) = hit.get("_recommendation") else {
        return String::new();
    };
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let reasons = why
        .get("reasons")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let parts: Vec<String> = reasons
        .take(REASONS)
        .map(|reason| {
            format!("{} {}", text(reason, "because"), text(reason, "itemId"))
                .trim()
                .to_owned()
        })
        .collect();
    if parts.is_empty() {
        text(why, "source")
    } else {
        parts.join(", ")
    }
}
