//! Filters: from the syntax tree to the set of documents it lets through.
//!
//! Text compares in folded form (case, accents and width do not matter) and
//! stands sorted in its column, so equality, ranges and beginnings are one range
//! of value numbers each. A negation also lets through documents that lack the
//! attribute. Ranges with a number look at numbers, others compare text
//! alphabetically, which orders RFC 3339 dates by time.

use crate::bits::{Bits, ItemSet};
use crate::columns::{Values, docs_between, docs_where, number_set};
use crate::error::QueryError;
use crate::places::Places;
use crate::plan;
use crate::postings::insert_all;
use crate::snapshot::{Core, Segment};
use crate::value::{self, AFTER, SPLIT};
use domain::{Comparison, Filter, FilterValue, GEO, GeoArea};
use std::sync::Arc;
use tantivy::TantivyError;
use tantivy::columnar::{StrColumn, TermOrdHit};

/// From so many separate ranges on, one pass over the column is cheaper.
const RANGES: usize = 3;

/// Value numbers from the first up to, not including, the second.
type Ords = (u64, u64);

/// Evaluates a filter over every segment, after checking that its attributes are filterable.
pub(crate) fn evaluate(core: &Arc<Core>, filter: &Filter) -> Result<ItemSet, QueryError> {
    check(core, filter)?;
    let mut bits = Vec::with_capacity(core.segments.len());
    for number in 0..core.segments.len() {
        let mut found = Evaluation { core, number }.bits(filter)?;
        if let Some(segment) = core.segments.get(number)
            && let Some(alive) = segment.reader.alive_bitset()
        {
            let mut kept = Bits::none(segment.reader.max_doc());
            found
                .iter()
                .filter(|doc| alive.is_alive(*doc))
                .for_each(|doc| kept.insert(doc));
            found = kept;
        }
        bits.push(found);
    }
    Ok(ItemSet {
        core: Arc::clone(core),
        bits,
    })
}

/// Refuses a filter on an attribute that is not filterable.
fn check(core: &Core, filter: &Filter) -> Result<(), QueryError> {
    let attribute = match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            return parts.iter().try_for_each(|part| check(core, part));
        }
        Filter::Not(inner) => return check(core, inner),
        Filter::Compare { attribute, .. }
        | Filter::Between { attribute, .. }
        | Filter::In { attribute, .. }
        | Filter::Exists { attribute }
        | Filter::IsNull { attribute }
        | Filter::IsEmpty { attribute }
        | Filter::Contains { attribute, .. }
        | Filter::StartsWith { attribute, .. } => attribute.as_str(),
        Filter::Within(_) => GEO,
    };
    if plan::covers(&core.plan.filterable, attribute) {
        return Ok(());
    }
    Err(QueryError::NotFilterable {
        attribute: attribute.to_owned(),
        available: core.plan.filterable.clone(),
    })
}

/// One segment's share of the work.
struct Evaluation<'a> {
    core: &'a Core,
    number: usize,
}

impl Evaluation<'_> {
    fn segment(&self) -> &Segment {
        &self.core.segments[self.number]
    }

    fn none(&self) -> Bits {
        Bits::none(self.segment().reader.max_doc())
    }

    fn bits(&self, filter: &Filter) -> Result<Bits, TantivyError> {
        match filter {
            Filter::And(parts) => {
                let mut all = Bits::every(self.segment().reader.max_doc());
                for part in parts {
                    all.intersect(&self.bits(part)?);
                }
                Ok(all)
            }
            Filter::Or(parts) => {
                let mut any = self.none();
                for part in parts {
                    any.unite(&self.bits(part)?);
                }
                Ok(any)
            }
            Filter::Not(inner) => {
                let mut bits = self.bits(inner)?;
                bits.complement();
                Ok(bits)
            }
            Filter::Compare {
                attribute,
                comparison,
                value,
            } => self.compare(attribute, *comparison, value),
            Filter::Between {
                attribute,
                low,
                high,
            } => self.values(attribute, |values, bits| {
                self.numbers(values, *low, *high, bits);
                Ok(())
            }),
            Filter::In { attribute, values } => self.any_of(attribute, values),
            Filter::Exists { attribute } => self.marked(&value::exists(attribute)),
            Filter::IsNull { attribute } => self.marked(&value::null(attribute)),
            Filter::IsEmpty { attribute } => self.marked(&value::empty(attribute)),
            Filter::Contains { attribute, text } => self.containing(attribute, text),
            Filter::Within(area) => self.within(area),
            Filter::StartsWith { attribute, text } => self.values(attribute, |values, bits| {
                let start = value::folded(text);
                self.texts(values, bits, |column| Ok(vec![starting(column, &start)?]))
            }),
        }
    }

    /// The documents whose place lies in an area.
    fn within(&self, area: &GeoArea) -> Result<Bits, TantivyError> {
        let mut bits = self.none();
        let places = Places::open(self.core)?;
        for doc in 0..self.segment().reader.max_doc() {
            if let Some(place) = places.of(self.number, doc)
                && area.contains(place)
            {
                bits.insert(doc);
            }
        }
        Ok(bits)
    }

    /// Runs one lookup on the columns of an attribute.
    fn values(
        &self,
        attribute: &str,
        fill: impl FnOnce(&Values, &mut Bits) -> Result<(), TantivyError>,
    ) -> Result<Bits, TantivyError> {
        let mut bits = self.none();
        let columns = self.core.attribute(attribute)?;
        if let Some(values) = columns.segments.get(self.number) {
            fill(values, &mut bits)?;
        }
        Ok(bits)
    }

    fn compare(
        &self,
        attribute: &str,
        comparison: Comparison,
        value: &FilterValue,
    ) -> Result<Bits, TantivyError> {
        if comparison == Comparison::Equal {
            return self.any_of(attribute, std::slice::from_ref(value));
        }
        self.values(attribute, |values, bits| {
            if let Some(number) = value.number {
                let (low, high) = match comparison {
                    Comparison::Greater => (number.next_up(), f64::MAX),
                    Comparison::GreaterOrEqual => (number, f64::MAX),
                    Comparison::Less => (f64::MIN, number.next_down()),
                    _ => (f64::MIN, number),
                };
                self.numbers(values, low, high, bits);
                return Ok(());
            }
            let text = value::folded(&value.text);
            let (before, after) = (format!("{text}{SPLIT}"), format!("{text}{AFTER}"));
            self.texts(values, bits, |column| {
                let end = column.num_terms() as u64;
                Ok(vec![match comparison {
                    Comparison::Greater => (first_from(column, &after)?, end),
                    Comparison::GreaterOrEqual => (first_from(column, &before)?, end),
                    Comparison::Less => (0, first_from(column, &before)?),
                    _ => (0, first_from(column, &after)?),
                }])
            })
        })
    }

    fn any_of(&self, attribute: &str, wanted: &[FilterValue]) -> Result<Bits, TantivyError> {
        self.values(attribute, |values, bits| {
            self.texts(values, bits, |column| {
                let mut ords = Vec::with_capacity(wanted.len());
                for value in wanted {
                    let text = value::folded(&value.text);
                    let from = first_from(column, format!("{text}{SPLIT}"))?;
                    ords.push((from, first_from(column, format!("{text}{AFTER}"))?));
                }
                Ok(ords)
            })?;
            let numbers: Vec<f64> = wanted.iter().filter_map(|value| value.number).collect();
            if numbers.len() <= RANGES {
                for number in numbers {
                    self.numbers(values, number, number, bits);
                }
            } else if let Some(column) = &values.number {
                let set = number_set(numbers.into_iter());
                let accept = |value: f64| set.contains_key(&value.to_bits());
                docs_where(column, &self.segment().reader, accept, |doc| {
                    bits.insert(doc)
                });
            }
            Ok(())
        })
    }

    fn containing(&self, attribute: &str, text: &str) -> Result<Bits, TantivyError> {
        let text = value::folded(text);
        self.values(attribute, |values, bits| {
            self.texts(values, bits, |column| {
                let mut ords = Vec::new();
                let mut stream = column.dictionary().stream()?;
                let mut ord = 0;
                while stream.advance() {
                    let (folded, _) = value::split(stream.key());
                    if contains(folded, text.as_bytes()) {
                        ords.push((ord, ord + 1));
                    }
                    ord += 1;
                }
                Ok(ords)
            })
        })
    }

    /// Adds the documents with a number from `low` to `high`.
    fn numbers(&self, values: &Values, low: f64, high: f64, bits: &mut Bits) {
        let Some(column) = &values.number else { return };
        // Bounds of -0.0 and 0.0 mean the same; NaN meets nothing.
        let (low, high) = (low + 0.0, high + 0.0);
        let docs = docs_between(column, &self.segment().reader, low, high);
        docs.into_iter().for_each(|doc| bits.insert(doc));
    }

    /// Adds the documents with a text value in one of the ranges.
    fn texts(
        &self,
        values: &Values,
        bits: &mut Bits,
        ranges: impl FnOnce(&StrColumn) -> Result<Vec<Ords>, TantivyError>,
    ) -> Result<(), TantivyError> {
        let Some(column) = &values.text else {
            return Ok(());
        };
        let mut ranges = ranges(column)?;
        ranges.retain(|(from, to)| from < to);
        let reader = &self.segment().reader;
        if ranges.len() <= RANGES {
            for (from, to) in ranges {
                let docs = docs_between(column.ords(), reader, from, to - 1);
                docs.into_iter().for_each(|doc| bits.insert(doc));
            }
            return Ok(());
        }
        let mut wanted = Bits::none(column.num_terms() as u32);
        for (from, to) in ranges {
            (from..to).for_each(|ord| wanted.insert(ord as u32));
        }
        docs_where(
            column.ords(),
            reader,
            |ord| wanted.contains(ord as u32),
            |doc| bits.insert(doc),
        );
        Ok(())
    }

    /// The documents with a mark.
    fn marked(&self, mark: &str) -> Result<Bits, TantivyError> {
        let mut bits = self.none();
        insert_all(
            &self.segment().marks,
            self.core.fields.marks,
            mark,
            &mut bits,
        )?;
        Ok(bits)
    }
}

/// The number of the first value that is not before `key`.
fn first_from(column: &StrColumn, key: impl AsRef<[u8]>) -> Result<u64, TantivyError> {
    let (TermOrdHit::Exact(ord) | TermOrdHit::Next(ord)) =
        column.dictionary().term_ord_or_next(key)?;
    // Behind the last value tantivy answers with the largest number there is.
    Ok(ord.min(column.num_terms() as u64))
}

/// The values whose folded form starts with `start`.
fn starting(column: &StrColumn, start: &str) -> Result<Ords, TantivyError> {
    // No text has the byte 0xFF, so this key is behind everything with that beginning.
    let mut behind = start.as_bytes().to_vec();
    behind.push(u8::MAX);
    Ok((first_from(column, start)?, first_from(column, behind)?))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}
