//! What of a document goes into the classes of items that a model knows: category, brand,
//! price. [`models::affinity::Fields`] makes numbers of it, for the trainer and the server.

use crate::snapshot::IndexReader;
use intake::Role;
use serde_json::{Map, Value};

/// What of a document goes into the fields.
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
}
