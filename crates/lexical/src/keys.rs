//! Where a document stands for one attribute, as a number that compares alike in
//! all segments: what sorting orders by, and what distinct keeps one of.

use crate::columns::Attribute;
use crate::score::Candidate;
use crate::snapshot::Core;
use tantivy::{TantivyError, f64_to_u64};

/// Where a document stands for one column: numbers, then text, then nothing.
pub(crate) type Key = (u8, u64);
pub(crate) const NUMBER: u8 = 0;
const TEXT: u8 = 1;
pub(crate) const MISSING: u8 = 2;

/// Numbers come before text and missing values last, whatever the direction. Of several
/// values the one that comes first counts.
pub(crate) fn key(
    core: &Core,
    attribute: &Attribute,
    candidate: &Candidate,
    descending: bool,
) -> Result<Key, TantivyError> {
    let segment = candidate.segment as usize;
    let Some(values) = attribute.segments.get(segment) else {
        return Ok((MISSING, 0));
    };
    let first = |values: &mut dyn Iterator<Item = u64>| {
        let directed = values.map(|value| if descending { !value } else { value });
        directed.min()
    };
    if let Some(column) = &values.number
        && let Some(value) = first(&mut column.values_for_doc(candidate.doc).map(f64_to_u64))
    {
        return Ok((NUMBER, value));
    }
    if let Some(column) = &values.text {
        let groups = attribute.groups(core)?;
        let mut ranks = column
            .term_ords(candidate.doc)
            .map(|ord| u64::from(groups.of(segment, ord)));
        if let Some(value) = first(&mut ranks) {
            return Ok((TEXT, value));
        }
    }
    Ok((MISSING, 0))
}
