//! What documents say by the roles of their attributes.
//!
//! [`models::affinity::Fields`] makes numbers of category, brand and price, for the trainer and
//! the server; profiles show them.

use crate::snapshot::IndexReader;
use intake::Role;
use serde_json::{Map, Value};

/// What of a document goes into the classes of items that a model knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price: Option<f64>,
}

impl IndexReader {
    /// What the roles in force say of a document.
    pub(crate) fn facts(&self, document: &Map<String, Value>) -> Facts {
        let cleaned = self.cleaned(document);
        let first = |role| self.texts(&cleaned, role).into_iter().next();
        Facts {
            category: first(Role::Categories),
            brand: first(Role::Brand),
            price: self.number(&cleaned, Role::Price),
        }
    }

    pub(crate) fn cleaned(&self, object: &Map<String, Value>) -> Map<String, Value> {
        intake::Cleaner::new(self.state.roles.clone())
            .clean(object, &mut Vec::new())
            .into_owned()
    }

    pub(crate) fn number(&self, object: &Map<String, Value>, role: Role) -> Option<f64> {
        self.state
            .roles
            .get(role)
            .iter()
            .find_map(|path| at(object, path)?.as_f64())
    }

    /// Every text under the attributes of a role.
    pub(crate) fn texts(&self, object: &Map<String, Value>, role: Role) -> Vec<String> {
        let mut texts = Vec::new();
        for path in self.state.roles.get(role) {
            if let Some(value) = at(object, path) {
                collect_texts(value, &mut texts);
            }
        }
        texts
    }
}

/// The value at a dotted path.
pub(crate) fn at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(object.get(first)?.as_object()?, rest)
}

/// Every text in a value, however deep in lists.
pub(crate) fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => texts.push(text.clone()),
        Value::Array(list) => list
            .iter()
            .for_each(|element| collect_texts(element, texts)),
        _ => {}
    }
}
