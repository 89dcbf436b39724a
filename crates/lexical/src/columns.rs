//! The values of one attribute, by segment, and which of them are equal.
//!
//! Every segment numbers its text values on its own. [`Groups`] numbers the
//! values of all segments together, in alphabetical order and without regard to
//! case, which is what facets, sorting and distinct need. It is built when it
//! is first asked for.

use crate::schema::COLUMNS;
use crate::snapshot::Core;
use crate::value;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;
use tantivy::columnar::{Cardinality, Column, StrColumn};
use tantivy::{SegmentReader, TantivyError};

/// Documents that are read together.
const BATCH: usize = 512;

/// One attribute in every segment.
pub(crate) struct Attribute {
    pub segments: Vec<Values>,
    groups: OnceLock<Groups>,
}

/// One attribute in one segment.
#[derive(Default)]
pub(crate) struct Values {
    pub text: Option<StrColumn>,
    pub number: Option<Column<f64>>,
}

impl Attribute {
    pub fn open(core: &Core, path: &str) -> Result<Self, TantivyError> {
        let name = format!("{COLUMNS}.{}", value::column_key(path));
        let mut segments = Vec::with_capacity(core.segments.len());
        for segment in &core.segments {
            let columns = segment.reader.fast_fields();
            segments.push(Values {
                text: columns.str(&name)?,
                number: columns.column_opt(&name)?,
            });
        }
        Ok(Self {
            segments,
            groups: OnceLock::new(),
        })
    }

    /// No document has a value.
    pub fn is_absent(&self) -> bool {
        self.segments
            .iter()
            .all(|values| values.text.is_none() && values.number.is_none())
    }

    /// The text values of all segments, numbered together.
    pub fn groups(&self, core: &Core) -> Result<&Groups, TantivyError> {
        if let Some(groups) = self.groups.get() {
            return Ok(groups);
        }
        let groups = Groups::build(core, &self.segments)?;
        Ok(self.groups.get_or_init(|| groups))
    }

    /// What a person reads for a group.
    pub fn label(&self, groups: &Groups, group: u32) -> Result<String, TantivyError> {
        let mut stored = String::new();
        if let Some((segment, ord)) = groups.labels.get(group as usize)
            && let Some(values) = self.segments.get(*segment as usize)
            && let Some(column) = &values.text
        {
            column.ord_to_str(u64::from(*ord), &mut stored)?;
        }
        let (_, original) = value::split(stored.as_bytes());
        Ok(String::from_utf8_lossy(original).into_owned())
    }
}

/// Equal text values over all segments. Group numbers are in alphabetical order.
pub(crate) struct Groups {
    /// By segment and value number.
    of: Vec<Vec<u32>>,
    /// By group: where its most frequent spelling stands.
    labels: Vec<(u32, u32)>,
}

/// The spellings of one group: the original text and where it stands.
type Spellings = Vec<(Vec<u8>, Vec<(u32, u32)>)>;

impl Groups {
    /// The group of a segment's value.
    pub fn of(&self, segment: usize, ord: u64) -> u32 {
        let groups = self.of.get(segment);
        groups
            .and_then(|groups| groups.get(ord as usize))
            .copied()
            .unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Merges the sorted values of every segment.
    fn build(core: &Core, segments: &[Values]) -> Result<Self, TantivyError> {
        let mut groups = Self {
            of: vec![Vec::new(); segments.len()],
            labels: Vec::new(),
        };
        let mut heads = Vec::new();
        for (number, values) in segments.iter().enumerate() {
            if let Some(column) = &values.text {
                let mut stream = column.dictionary().stream()?;
                if stream.advance() {
                    heads.push((number, stream));
                }
            }
        }
        let mut contested: Vec<(usize, Spellings)> = Vec::new();
        let mut folded: Option<Vec<u8>> = None;
        let mut spellings = Spellings::new();
        while let Some(least) =
            (0..heads.len()).min_by(|a, b| heads[*a].1.key().cmp(heads[*b].1.key()))
        {
            let (number, stream) = &mut heads[least];
            let (fold, original) = value::split(stream.key());
            if folded.as_deref() != Some(fold) {
                if spellings.len() > 1 {
                    contested.push((groups.labels.len() - 1, std::mem::take(&mut spellings)));
                }
                spellings.clear();
                folded = Some(fold.to_vec());
                groups
                    .labels
                    .push((*number as u32, groups.of[*number].len() as u32));
            }
            let place = (*number as u32, groups.of[*number].len() as u32);
            match spellings.last_mut().filter(|(last, _)| last == original) {
                Some((_, places)) => places.push(place),
                None => spellings.push((original.to_vec(), vec![place])),
            }
            groups.of[*number].push(groups.labels.len() as u32 - 1);
            if !stream.advance() {
                heads.swap_remove(least);
            }
        }
        if spellings.len() > 1 {
            contested.push((groups.labels.len() - 1, spellings));
        }
        if !contested.is_empty() {
            groups.settle(core, segments, contested);
        }
        Ok(groups)
    }

    /// Labels each contested group with its most frequent spelling; of equally frequent ones
    /// with the first.
    fn settle(&mut self, core: &Core, segments: &[Values], contested: Vec<(usize, Spellings)>) {
        let mut counts: Vec<Vec<u32>> = Vec::with_capacity(segments.len());
        for (segment, values) in core.segments.iter().zip(segments) {
            let mut count = vec![0; values.text.as_ref().map_or(0, |column| column.num_terms())];
            if let Some(column) = &values.text {
                for doc in segment.reader.doc_ids_alive() {
                    for ord in column.term_ords(doc) {
                        if let Some(count) = count.get_mut(ord as usize) {
                            *count += 1;
                        }
                    }
                }
            }
            counts.push(count);
        }
        let frequency = |places: &[(u32, u32)]| -> u64 {
            let counted = places
                .iter()
                .filter_map(|(segment, ord)| counts.get(*segment as usize)?.get(*ord as usize));
            counted.map(|count| u64::from(*count)).sum()
        };
        for (group, spellings) in contested {
            let mut best = 0;
            for (_, places) in &spellings {
                let found = frequency(places);
                if found > best
                    && let Some(place) = places.first()
                    && let Some(label) = self.labels.get_mut(group)
                {
                    best = found;
                    *label = *place;
                }
            }
        }
    }
}

/// Calls `each` with every value of the given documents, document by document.
pub(crate) fn for_each_value<T>(column: &Column<T>, docs: &[u32], mut each: impl FnMut(u32, T))
where
    T: PartialOrd + Copy + std::fmt::Debug + Default + Send + Sync + 'static,
{
    let (mut owners, mut rows, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for batch in docs.chunks(BATCH) {
        owners.clear();
        rows.clear();
        column.row_ids_for_docs(batch, &mut owners, &mut rows);
        values.clear();
        values.resize(rows.len(), T::default());
        column.values.get_vals(&rows, &mut values);
        for (doc, value) in owners.iter().zip(&values) {
            each(*doc, *value);
        }
    }
}

/// Whether a document may have several values.
pub(crate) fn is_multivalued<T>(column: &Column<T>) -> bool
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    column.get_cardinality() == Cardinality::Multivalued
}

/// The documents of a segment with a value from `low` to `high`.
pub(crate) fn docs_between<T>(
    column: &Column<T>,
    reader: &SegmentReader,
    low: T,
    high: T,
) -> Vec<u32>
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    let mut docs = Vec::new();
    // tantivy's search misreads a range that ends before the column's smallest value.
    if low <= high && high >= column.min_value() && low <= column.max_value() {
        column.get_docids_for_value_range(low..=high, 0..reader.max_doc(), &mut docs);
    }
    docs
}

/// The documents of a segment with a value that is accepted.
pub(crate) fn docs_where<T>(
    column: &Column<T>,
    reader: &SegmentReader,
    accept: impl Fn(T) -> bool,
    mut found: impl FnMut(u32),
) where
    T: PartialOrd + Copy + std::fmt::Debug + Default + Send + Sync + 'static,
{
    let docs: Vec<u32> = (0..reader.max_doc()).collect();
    for_each_value(column, &docs, |doc, value| {
        if accept(value) {
            found(doc);
        }
    });
}

/// The alternatives of a value list, for one lookup per value.
pub(crate) fn number_set(numbers: impl Iterator<Item = f64>) -> FxHashMap<u64, ()> {
    numbers
        .map(|number| ((number + 0.0).to_bits(), ()))
        .collect()
}
