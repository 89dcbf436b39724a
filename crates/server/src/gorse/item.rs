//! An item as clients write and read it, and as a document.
//!
//! `Labels.embedding` is a vector: the document has it where vectors stand, so that items are
//! near each other by it and no number of it is searched as a word.

use super::setup::{EMBEDDER, KEY};
use super::{ids, times};
use crate::error::ApiError;
use domain::VECTORS;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An item, or what is to change of one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Given {
    pub item_id: String,
    pub is_hidden: Option<bool>,
    pub categories: Option<Vec<String>>,
    pub timestamp: Option<String>,
    pub labels: Option<Value>,
    pub comment: Option<String>,
}

/// An item as it is shown.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item {
    pub item_id: String,
    pub is_hidden: bool,
    pub categories: Vec<String>,
    pub timestamp: String,
    pub labels: Value,
    pub comment: String,
}

type Document = Map<String, Value>;

impl Given {
    /// The whole document.
    pub(super) fn document(self) -> Result<Document, ApiError> {
        let mut document = named(&self.item_id)?;
        let Self {
            is_hidden,
            categories,
            timestamp,
            labels,
            comment,
            ..
        } = self;
        let whole = Self {
            is_hidden: Some(is_hidden.unwrap_or_default()),
            categories: Some(categories.unwrap_or_default()),
            timestamp: Some(timestamp.unwrap_or_default()),
            comment: Some(comment.unwrap_or_default()),
            labels,
            ..Self::default()
        };
        document.extend(whole.changes()?);
        Ok(document)
    }

    /// The attributes that are given.
    pub(super) fn changes(self) -> Result<Document, ApiError> {
        let mut changes = Document::new();
        if let Some(hidden) = self.is_hidden {
            changes.insert("IsHidden".to_owned(), json!(hidden));
        }
        if let Some(categories) = self.categories {
            changes.insert("Categories".to_owned(), json!(categories));
        }
        if let Some(timestamp) = self.timestamp {
            let time = times::read(Some(&timestamp))?;
            changes.insert("Timestamp".to_owned(), json!(time.to_string()));
        }
        if let Some(mut labels) = self.labels {
            let vector = take_vector(&mut labels);
            changes.insert("Labels".to_owned(), labels);
            // Without one the item loses what it had.
            changes.insert(VECTORS.to_owned(), json!({ EMBEDDER: vector }));
        }
        if let Some(comment) = self.comment {
            changes.insert("Comment".to_owned(), json!(comment));
        }
        Ok(changes)
    }
}

/// The document of an item of which only the id is known.
pub(super) fn named(item: &str) -> Result<Document, ApiError> {
    let mut document = Document::new();
    document.insert(KEY.to_owned(), json!(ids::document(item)?));
    document.insert("ItemId".to_owned(), json!(item));
    Ok(document)
}

/// How many numbers the vector of a document has, if it brings one.
pub(super) fn dimensions(document: &Document) -> Option<usize> {
    vector(document).map(Vec::len).filter(|length| *length > 0)
}

/// The vector that a document brings.
pub(super) fn vector(document: &Document) -> Option<&Vec<Value>> {
    document.get(VECTORS)?.get(EMBEDDER)?.as_array()
}

/// Takes the vector out of labels; whatever else has its name stays a label.
fn take_vector(labels: &mut Value) -> Value {
    let Some(labels) = labels.as_object_mut() else {
        return Value::Null;
    };
    let is_vector = |value: &Value| {
        let numbers = value.as_array();
        numbers.is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_number))
    };
    if labels.get(EMBEDDER).is_some_and(is_vector) {
        return labels.shift_remove(EMBEDDER).unwrap_or_default();
    }
    Value::Null
}

impl Item {
    /// The item of a document, whoever wrote it.
    pub(super) fn of(id: &str, mut document: Document) -> Self {
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => text,
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let mut labels = document.shift_remove("Labels").unwrap_or_default();
        if let Some(vector) = vector(&document) {
            let vector = json!(vector);
            match &mut labels {
                Value::Object(labels) => drop(labels.insert(EMBEDDER.to_owned(), vector)),
                Value::Null => labels = json!({ EMBEDDER: vector }),
                _ => {}
            }
        }
        let timestamp = text(document.shift_remove("Timestamp"));
        Self {
            item_id: ids::item(id),
            is_hidden: document.get("IsHidden") == Some(&Value::Bool(true)),
            categories: categories(&document),
            timestamp: match timestamp.is_empty() {
                true => "0001-01-01T00:00:00Z".to_owned(),
                false => timestamp,
            },
            labels,
            comment: text(document.shift_remove("Comment")),
        }
    }
}

/// The categories of a document.
pub(super) fn categories(document: &Document) -> Vec<String> {
    match document.get("Categories") {
        Some(Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(given: Value) -> Value {
        let given: Given = serde_json::from_value(given).expect("an item");
        let document = given.document().expect("a document");
        let id = document["id"].as_str().expect("an id").to_owned();
        json!(Item::of(&id, document))
    }

    #[test]
    fn an_item_reads_back_as_it_was_written() {
        let item = json!({
            "ItemId": "a:1", "IsHidden": true, "Categories": ["Comedy", "War"],
            "Timestamp": "2022-11-20T13:55:27Z", "Comment": "Minions (2015)",
            "Labels": { "topics": ["x"], "embedding": [0.1, 2, -3.5] },
        });
        assert_eq!(round(item.clone()), item);
        let least = json!({
            "ItemId": "1", "IsHidden": false, "Categories": [], "Comment": "", "Labels": null,
            "Timestamp": "0001-01-01T00:00:00Z",
        });
        assert_eq!(round(json!({ "ItemId": "1", "IsHidden": null })), least);
        let odd = json!({ "embedding": ["no", "vector"] });
        assert_eq!(
            round(json!({ "ItemId": "1", "Labels": odd }))["Labels"],
            odd
        );
        let empty = json!({ "embedding": [] });
        assert_eq!(
            round(json!({ "ItemId": "1", "Labels": empty }))["Labels"],
            empty
        );
        let list = json!(["a", "b"]);
        assert_eq!(
            round(json!({ "ItemId": "1", "Labels": list }))["Labels"],
            list
        );
    }

    #[test]
    fn a_change_holds_only_what_is_given() {
        let given = json!({ "Comment": "new", "Labels": null, "IsHidden": null });
        let given: Given = serde_json::from_value(given).expect("a change");
        let changes = given.changes().expect("changes");
        assert_eq!(json!(changes), json!({ "Comment": "new" }));
    }
}
