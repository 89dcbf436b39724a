//! From a JSON document to words, columns and marks.
//!
//! Objects become dotted paths (`specs.colour`), also inside lists, so that an
//! attribute of several nested objects has several values. A value that is both
//! filterable and searchable is read once.

use crate::places::{LAT, LNG, geo_point};
use crate::plan::{self, IndexPlan};
use crate::schema::{APART, Fields, NEXT, SAME, storable};
use crate::value;
use domain::{GEO, VECTORS};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;
use text::Analyzer;

/// Words taken from one attribute of one document; the rest is not searchable.
const WORDS_PER_FIELD: usize = 20_000;
/// Bytes of text looked at for one attribute: longer text cannot hold more useful words.
const BYTES_PER_VALUE: usize = 1 << 18;
/// How deep nested objects are followed.
const DEPTH: usize = 32;
/// Attributes with a longer path are neither searched nor filtered.
const LONGEST_PATH: usize = 1_000;

/// Turns documents into what tantivy stores, for one plan.
pub(crate) struct Flattener<'a> {
    pub plan: &'a IndexPlan,
    pub fields: &'a Fields,
    pub analyzer: &'a Analyzer,
}

/// What one document becomes, while it is being read.
#[derive(Default)]
struct Parts {
    /// By text field: the prepared string and how many words it has.
    texts: Vec<(String, usize)>,
    distinct: FxHashSet<String>,
    columns: BTreeMap<String, Vec<OwnedValue>>,
    marks: FxHashSet<String>,
}

impl Flattener<'_> {
    /// The tantivy document for one JSON document.
    pub fn document(
        &self,
        id: &str,
        number: u64,
        document: &Map<String, Value>,
    ) -> TantivyDocument {
        let mut parts = Parts {
            texts: vec![(String::new(), 0); self.fields.texts.len()],
            ..Parts::default()
        };
        for (name, value) in document {
            if name != VECTORS {
                self.visit(name, value, 0, &mut parts);
            }
        }
        let mut out = TantivyDocument::default();
        out.add_text(self.fields.id, id);
        out.add_u64(self.fields.number, number);
        for (place, (field, (text, count))) in self.fields.texts.iter().zip(parts.texts).enumerate()
        {
            if count > 0 {
                out.add_text(field.field, text);
                parts.marks.insert(value::has_words(place));
            }
        }
        out.add_text(self.fields.words, joined(parts.distinct));
        out.add_text(self.fields.marks, joined(parts.marks));
        if !parts.columns.is_empty() {
            let columns = parts
                .columns
                .into_iter()
                .map(|(key, values)| (key, OwnedValue::Array(values)))
                .collect();
            out.add_object(self.fields.columns, columns);
        }
        out
    }

    fn visit(&self, path: &str, value: &Value, depth: usize, parts: &mut Parts) {
        if depth > DEPTH || path.len() > LONGEST_PATH {
            return;
        }
        if plan::covers(&self.plan.filterable, path) {
            parts.marks.insert(value::exists(path));
            if value.is_null() {
                parts.marks.insert(value::null(path));
            }
            if value::is_empty(value) {
                parts.marks.insert(value::empty(path));
            }
        }
        if path == GEO && depth == 0 {
            if let Some(place) = geo_point(value) {
                self.add_column(LAT, || OwnedValue::F64(place.lat() + 0.0), parts);
                self.add_column(LNG, || OwnedValue::F64(place.lng() + 0.0), parts);
            }
            return;
        }
        self.leaves(path, value, depth, parts);
    }

    fn leaves(&self, path: &str, value: &Value, depth: usize, parts: &mut Parts) {
        match value {
            Value::Null => {}
            Value::Object(nested) => {
                for (name, value) in nested {
                    self.visit(&format!("{path}.{name}"), value, depth + 1, parts);
                }
            }
            Value::Array(values) => {
                if depth <= DEPTH {
                    for value in values {
                        self.leaves(path, value, depth + 1, parts);
                    }
                }
            }
            Value::String(text) => {
                self.add_column(path, || OwnedValue::Str(value::stored(text)), parts);
                self.add_words(path, text, parts);
            }
            Value::Bool(flag) => {
                self.add_column(
                    path,
                    || OwnedValue::Str(value::stored(&flag.to_string())),
                    parts,
                );
            }
            Value::Number(number) => {
                if let Some(number) = number.as_f64().filter(|number| number.is_finite()) {
                    // Adding 0.0 turns -0.0 into 0.0, so that both are one value.
                    self.add_column(path, || OwnedValue::F64(number + 0.0), parts);
                }
                if self.own_field(path).is_some() {
                    self.add_words(path, &value::spelt(number), parts);
                }
            }
        }
    }

    fn add_column(&self, path: &str, stored: impl FnOnce() -> OwnedValue, parts: &mut Parts) {
        let wanted = plan::covers(&self.plan.filterable, path)
            || plan::covers(&self.plan.sortable, path)
            || self.plan.distinct.as_deref() == Some(path);
        if wanted {
            parts
                .columns
                .entry(value::column_key(path))
                .or_default()
                .push(stored());
        }
    }

    /// The most specific explicit field for a path.
    fn own_field(&self, path: &str) -> Option<usize> {
        let covering = self
            .fields
            .texts
            .iter()
            .enumerate()
            .filter_map(|(place, text)| {
                let root = text.path.as_deref()?;
                plan::is_under(path, root).then_some((root.len(), place))
            });
        covering
            .max_by_key(|(length, place)| (*length, usize::MAX - place))
            .map(|(_, place)| place)
    }

    /// The shared field, if a path belongs there.
    fn rest_field(&self, path: &str, text: &str) -> Option<usize> {
        let place = self
            .fields
            .texts
            .iter()
            .position(|text| text.path.is_none())?;
        let listed = self
            .plan
            .searchable
            .iter()
            .any(|searchable| plan::is_under(path, &searchable.path));
        // Links are noise unless a shop asks to search them.
        let link = text.starts_with("http://") || text.starts_with("https://");
        (listed || (self.plan.search_rest.is_some() && !link)).then_some(place)
    }

    fn add_words(&self, path: &str, text: &str, parts: &mut Parts) {
        let Some(place) = self.own_field(path).or_else(|| self.rest_field(path, text)) else {
            return;
        };
        let Some((prepared, count)) = parts.texts.get_mut(place) else {
            return;
        };
        if *count >= WORDS_PER_FIELD {
            return;
        }
        let is_english = self.plan.is_english(path);
        let mut separator = APART;
        let mut position = None;
        for token in self
            .analyzer
            .tokens(value::shortened(text, BYTES_PER_VALUE))
        {
            let form = if is_english {
                &token.text
            } else {
                &token.surface
            };
            let word = storable(form);
            if word.is_empty() || *count >= WORDS_PER_FIELD {
                continue;
            }
            if token.is_measure {
                // It makes no text longer, because nobody has written it.
                parts.distinct.insert(word);
                continue;
            }
            if let Some(before) = position {
                separator = if token.position == before { SAME } else { NEXT };
            }
            position = Some(token.position);
            prepared.push(separator);
            prepared.push_str(&word);
            *count += 1;
            parts.distinct.insert(word);
        }
    }
}

/// The members of a set, in order, so that the same document always gives the same bytes.
fn joined(set: FxHashSet<String>) -> String {
    let mut members: Vec<String> = set.into_iter().collect();
    members.sort_unstable();
    members.join(&NEXT.to_string())
}
