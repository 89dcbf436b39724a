//! Words of a query that are values of the catalogue: a brand, a category, a colour.
//!
//! The values of the attributes in question are cut into words once per snapshot, so that
//! recognising a query is one lookup for every run of its words.

use crate::answer::WordKind;
use crate::parse::{Part, Word};
use crate::snapshot::Core;
use crate::units::Builder;
use crate::value;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use tantivy::TantivyError;

/// Longer values are texts, which nobody names in a query.
const LONGEST_VALUE: usize = 60;
/// Words of a value that is recognised.
const MOST_WORDS: usize = 4;
/// An attribute with more values tells items apart rather than describing them.
const MOST_VALUES: usize = 5_000;
/// Values that are known of all attributes together.
const MOST_KNOWN: usize = 200_000;
/// Attributes that are read, those that the most items have.
const MOST_ATTRIBUTES: usize = 500;
/// Recognisers that are remembered; more than one only while roles change.
const REMEMBERED: usize = 4;

/// What recognises values, by the attributes that are brands and categories.
#[derive(Default)]
pub(crate) struct Recognisers(Mutex<FxHashMap<Roles, Arc<Recogniser>>>);

type Roles = (Vec<String>, Vec<String>);

/// Values by their words.
#[derive(Default)]
pub(crate) struct Recogniser {
    /// Brands first, then categories, then what else there is.
    paths: Vec<String>,
    values: FxHashMap<String, Known>,
}

/// Where a value stands: in the attribute that was listed first.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    attribute: usize,
    label: String,
}

/// A run of words that is a value.
#[derive(Clone, Debug)]
pub(crate) struct Recognised {
    pub words: Range<usize>,
    pub kind: WordKind,
    pub attribute: String,
    /// As the catalogue writes it.
    pub value: String,
}

impl Core {
    fn recogniser(&self, roles: &Roles) -> Result<Arc<Recogniser>, TantivyError> {
        if let Ok(known) = self.recognisers.0.lock()
            && let Some(recogniser) = known.get(roles)
        {
            return Ok(Arc::clone(recogniser));
        }
        let mut recogniser = Recogniser::default();
        let named = [roles.0.as_slice(), roles.1.as_slice()].concat();
        let mut others = self.common_attributes()?;
        others.retain(|path| !named.contains(path));
        others.truncate(MOST_ATTRIBUTES);
        recogniser.paths = [named, others].concat();
        for number in 0..recogniser.paths.len() {
            recogniser.add(self, number)?;
        }
        let recogniser = Arc::new(recogniser);
        if let Ok(mut known) = self.recognisers.0.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(roles.clone(), Arc::clone(&recogniser));
        }
        Ok(recogniser)
    }

    /// The filterable attributes, those that the most items have first.
    fn common_attributes(&self) -> Result<Vec<String>, TantivyError> {
        let mut counts: FxHashMap<String, u32> = FxHashMap::default();
        for segment in &self.segments {
            let terms = segment.marks.terms();
            let mut marks = terms.range().ge("e").lt("f").into_stream()?;
            while marks.advance() {
                let key = String::from_utf8_lossy(marks.key().get(1..).unwrap_or_default());
                *counts.entry(value::path_of(&key)).or_default() += marks.value().doc_freq;
            }
        }
        let mut paths: Vec<(String, u32)> = counts.into_iter().collect();
        paths.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(paths.into_iter().map(|(path, _)| path).collect())
    }
}

impl Recogniser {
    /// Adds the values of the attribute with a number.
    fn add(&mut self, core: &Core, attribute: usize) -> Result<(), TantivyError> {
        let Some(path) = self.paths.get(attribute) else {
            return Ok(());
        };
        let columns = core.attribute(path)?;
        for values in &columns.segments {
            let Some(column) = values.text.as_ref() else {
                continue;
            };
            if column.num_terms() > MOST_VALUES {
                continue;
            }
            let mut stream = column.dictionary().stream()?;
            while stream.advance() && self.values.len() < MOST_KNOWN {
                let (folded, original) = value::split(stream.key());
                if folded.len() > LONGEST_VALUE {
                    continue;
                }
                let label = String::from_utf8_lossy(original);
                if let Some(key) = key_of(core, &label) {
                    self.values.entry(key).or_insert_with(|| Known {
                        attribute,
                        label: label.into_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The words of a value as queries have them. A number alone says nothing.
fn key_of(core: &Core, value: &str) -> Option<String> {
    let tokens = core.analyzer.query_tokens(value);
    if tokens.is_empty() || tokens.len() > MOST_WORDS {
        return None;
    }
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let key = words.join(" ");
    key.contains(|c: char| c.is_alphabetic()).then_some(key)
}

impl Builder<'_> {
    /// The values among the words of a query, longest first where they overlap. Brands and
    /// categories go before other attributes.
    pub fn recognise(&self, parts: &[Part]) -> Result<Vec<Recognised>, TantivyError> {
        let (brands, categories) = (&self.plan.plan.brands, &self.plan.plan.categories);
        let roles = (brands.clone(), categories.clone());
        let recogniser = self.core.recogniser(&roles)?;
        let mut found: Vec<Recognised> = Vec::new();
        for length in (1..=MOST_WORDS.min(parts.len())).rev() {
            for start in 0..=parts.len() - length {
                let run = start..start + length;
                let is_taken = found
                    .iter()
                    .any(|known| known.words.start < run.end && run.start < known.words.end);
                let known = key(parts.get(run.clone()).unwrap_or_default())
                    .filter(|_| !is_taken)
                    .and_then(|key| recogniser.values.get(&key));
                let Some(known) = known else { continue };
                let place = known.attribute;
                found.push(Recognised {
                    words: run,
                    kind: if place < brands.len() {
                        WordKind::Brand
                    } else if place < brands.len() + categories.len() {
                        WordKind::Category
                    } else {
                        WordKind::Attribute
                    },
                    attribute: recogniser.paths.get(place).cloned().unwrap_or_default(),
                    value: known.label.clone(),
                });
            }
        }
        found.sort_by_key(|known| known.words.start);
        Ok(found)
    }
}

/// The words of a run as the values have them; nothing for a run with a phrase in it.
fn key(parts: &[Part]) -> Option<String> {
    let mut key = String::new();
    for part in parts {
        let Part::Word(Word { text, .. }) = part else {
            return None;
        };
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(text);
    }
    Some(key)
}
