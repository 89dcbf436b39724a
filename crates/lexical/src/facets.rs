//! Counting the values of attributes among the hits.
//!
//! A document counts once for a value, also when it has it in several spellings
//! or several times. Values that differ only in case or accents are one value,
//! shown in the spelling that most documents of the index use.

use crate::answer::{Facet, FacetOrder, FacetStats};
use crate::columns::{Attribute, for_each_value, is_multivalued};
use crate::snapshot::Core;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use tantivy::TantivyError;

/// The documents to count in, by segment.
pub(crate) type Documents = Vec<Vec<u32>>;

/// Counts of one attribute.
pub(crate) struct Counts<'a> {
    core: &'a Core,
    attribute: &'a Attribute,
    /// By group; in alphabetical order.
    texts: Vec<(u32, u64)>,
    /// In ascending order.
    numbers: Vec<(f64, u64)>,
}

impl<'a> Counts<'a> {
    pub fn of(
        core: &'a Core,
        attribute: &'a Attribute,
        documents: &Documents,
    ) -> Result<Self, TantivyError> {
        let mut texts: FxHashMap<u32, u64> = FxHashMap::default();
        let mut numbers: FxHashMap<u64, u64> = FxHashMap::default();
        for (segment, (values, docs)) in attribute.segments.iter().zip(documents).enumerate() {
            if docs.is_empty() {
                continue;
            }
            if let Some(column) = &values.text {
                let groups = attribute.groups(core)?;
                // Counting in a list is faster than in a map, unless the list is mostly empty.
                let mut seen = Once::new(is_multivalued(column.ords()));
                let mut count = vec![
                    0u64;
                    if groups.len() <= 8 * docs.len() {
                        groups.len()
                    } else {
                        0
                    }
                ];
                for_each_value(column.ords(), docs, |doc, ord| {
                    let group = groups.of(segment, ord);
                    if seen.is_new(doc, u64::from(group)) {
                        match count.get_mut(group as usize) {
                            Some(count) => *count += 1,
                            None => *texts.entry(group).or_default() += 1,
                        }
                    }
                });
                for (group, count) in count
                    .into_iter()
                    .enumerate()
                    .filter(|(_, count)| *count > 0)
                {
                    *texts.entry(group as u32).or_default() += count;
                }
            }
            if let Some(column) = &values.number {
                let mut seen = Once::new(is_multivalued(column));
                for_each_value(column, docs, |doc, number| {
                    if seen.is_new(doc, number.to_bits()) {
                        *numbers.entry(number.to_bits()).or_default() += 1;
                    }
                });
            }
        }
        let mut texts: Vec<(u32, u64)> = texts.into_iter().collect();
        texts.sort_unstable();
        let mut numbers: Vec<(f64, u64)> = numbers
            .into_iter()
            .map(|(bits, count)| (f64::from_bits(bits), count))
            .collect();
        numbers.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self {
            core,
            attribute,
            texts,
            numbers,
        })
    }

    /// The facet of an answer.
    pub fn facet(&self, order: FacetOrder, limit: usize) -> Result<Facet, TantivyError> {
        let ends = self.numbers.first().zip(self.numbers.last());
        Ok(Facet {
            values: self.values(order, limit)?,
            stats: ends.map(|((min, _), (max, _))| FacetStats {
                min: *min,
                max: *max,
            }),
        })
    }

    /// Values with their counts.
    pub fn values(
        &self,
        order: FacetOrder,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, TantivyError> {
        let numbers = self
            .numbers
            .iter()
            .map(|(number, count)| (Value::Number(*number), *count));
        let texts = self
            .texts
            .iter()
            .map(|(group, count)| (Value::Text(*group), *count));
        let mut all: Vec<(Value, u64)> = numbers.chain(texts).collect();
        if order == FacetOrder::Count {
            // Stable, so equal counts stay in alphabetical order.
            all.sort_by_key(|(_, count)| Reverse(*count));
        }
        all.truncate(limit);
        let groups = self.attribute.groups(self.core)?;
        let mut values = Vec::with_capacity(all.len());
        for (value, count) in all {
            let name = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(group) => self.attribute.label(groups, group)?,
            };
            values.push((name, count));
        }
        Ok(values)
    }
}

enum Value {
    Number(f64),
    Text(u32),
}

/// Notices when a document has a value a second time.
struct Once {
    multivalued: bool,
    doc: Option<u32>,
    values: Vec<u64>,
}

impl Once {
    fn new(multivalued: bool) -> Self {
        Self {
            multivalued,
            doc: None,
            values: Vec::new(),
        }
    }

    /// Values must come document by document.
    fn is_new(&mut self, doc: u32, value: u64) -> bool {
        if !self.multivalued {
            return true;
        }
        if self.doc != Some(doc) {
            self.doc = Some(doc);
            self.values.clear();
        }
        let new = !self.values.contains(&value);
        if new {
            self.values.push(value);
        }
        new
    }
}
