//! Found or recommended items as a table for people.
//!
//! The columns come from the roles of the index: whatever attribute is the title
//! is shown as the title.

use crate::address::path;
use crate::client::Client;
use crate::table::Table;
use serde_json::Value;

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
        let roles = client.get(&path(&["indexes", index, "roles"]))?;
        let role = |name: &str| text_of(roles.get("roles").and_then(|roles| roles.get(name)));
        Ok(Self { key: text_of(info.get("primaryKey")), title: role("title"), price: role("price") })
    }

    /// Columns by name.
    #[cfg(test)]
    pub fn named(key: &str, title: Option<&str>, price: Option<&str>) -> Self {
        let owned = |name: &str| name.to_owned();
        Self { key: Some(owned(key)), title: title.map(owned), price: price.map(owned) }
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
    if count == 0 { String::new() } else { table.render() }
}

fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// An attribute by its dotted path, as short text.
fn attribute(hit: &Value, name: Option<&str>) -> String {
    let Some(name) = name else { return String::new() };
    let direct = hit.get(name);
    let value = direct.or_else(|| name.split('.').try_fold(hit, |value, part| value.get(part)));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn score(hit: &Value) -> String {
    let score = hit.get("_rankingScore").or_else(|| hit.get("_score")).and_then(Value::as_f64);
    score.map_or_else(String::new, |score| {
        // Enough digits to tell neighbours apart, whatever the scale of the scorer.
        if score.abs() >= 100.0 { format!("{score:.1}") } else { ((score * 1e4).round() / 1e4).to_string() }
    })
}

/// What a recommendation rests on, with `explain`.
fn because(hit: &Value) -> String {
    let reasons = hit.get("_reasons").and_then(Value::as_array).into_iter().flatten();
    let mut parts = Vec::new();
    for reason in reasons.take(3) {
        let field = |name: &str| reason.get(name).and_then(Value::as_str).unwrap_or_default();
        parts.push(format!("{} {}", field("because"), field("itemId")).trim().to_owned());
    }
    parts.join(", ")
}
