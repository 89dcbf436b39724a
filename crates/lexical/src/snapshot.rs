//! One state of the index, opened once and shared by all its readers.
//!
//! It holds the handles of every segment, the length normalisation of every
//! text field, and what queries have found out so far: columns, groups of equal
//! values and expanded words. A new commit starts with empty caches, but for the
//! way from numbers to documents, which stays with its segment.

use crate::chinese::Chinese;
use crate::columns::{Attribute, for_each_value};
use crate::expand::Forms;
use crate::numbers::Numbers;
use crate::plan::IndexPlan;
use crate::recognise::Recognisers;
use crate::schema::{Fields, ID, NUMBER};
use crate::score::B;
use crate::value;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, OnceLock, RwLock};
use tantivy::columnar::{Column, StrColumn};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED, TantivyError, Term};
use text::Analyzer;

/// Attributes whose columns are kept open at most.
const OPEN_ATTRIBUTES: usize = 32_768;

/// Documents that are collected beyond those wanted before the best are picked.
const MARGIN: usize = 1_024;

/// Where a document is: its segment and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub(crate) segment: u32,
    pub(crate) doc: u32,
}

/// See the module documentation.
pub(crate) struct Core {
    pub plan: Arc<IndexPlan>,
    pub fields: Arc<Fields>,
    pub analyzer: Analyzer,
    pub segments: Vec<Segment>,
    /// By text field and length code: what one occurrence of a word counts.
    pub gains: Vec<Vec<f32>>,
    pub forms: Forms,
    pub chinese: Chinese,
    pub recognisers: Recognisers,
    columns: RwLock<FxHashMap<String, Arc<Attribute>>>,
    attributes: OnceLock<Vec<String>>,
    plain_analyzer: OnceLock<Analyzer>,
    // Keeps the files of the segments from being collected.
    _searcher: Searcher,
}

/// One segment with its open files.
pub(crate) struct Segment {
    pub reader: SegmentReader,
    pub ids: Arc<InvertedIndexReader>,
    pub id_column: Option<StrColumn>,
    pub numbers: Option<Column<u64>>,
    /// From numbers to documents; shared with other snapshots that have this segment.
    pub by_number: Arc<Numbers>,
    pub words: Arc<InvertedIndexReader>,
    pub marks: Arc<InvertedIndexReader>,
    pub texts: Vec<Text>,
}

/// One text field of one segment.
pub(crate) struct Text {
    pub postings: Arc<InvertedIndexReader>,
    pub lengths: FieldNormReader,
}

impl Segment {
    fn open(
        reader: &SegmentReader,
        fields: &Fields,
        by_number: Arc<Numbers>,
    ) -> Result<Self, TantivyError> {
        let mut texts = Vec::with_capacity(fields.texts.len());
        for text in &fields.texts {
            texts.push(Text {
                postings: reader.inverted_index(text.field)?,
                lengths: reader.get_fieldnorms_reader(text.field)?,
            });
        }
        Ok(Self {
            ids: reader.inverted_index(fields.id)?,
            id_column: reader.fast_fields().str(ID)?,
            numbers: reader.fast_fields().column_opt(NUMBER)?,
            by_number,
            words: reader.inverted_index(fields.words)?,
            marks: reader.inverted_index(fields.marks)?,
            texts,
            reader: reader.clone(),
        })
    }

    /// The document's id.
    pub fn id(&self, doc: u32) -> Result<String, TantivyError> {
        let mut id = String::new();
        if let Some(column) = &self.id_column
            && let Some(ord) = column.ords().first(doc)
        {
            column.ord_to_str(ord, &mut id)?;
        }
        Ok(id)
    }

    /// The id's rank among the ids of this segment.
    pub fn id_rank(&self, doc: u32) -> u64 {
        let column = self.id_column.as_ref();
        column
            .and_then(|column| column.ords().first(doc))
            .unwrap_or_default()
    }

    /// The document's place in insertion order.
    pub fn number(&self, doc: u32) -> u64 {
        let column = self.numbers.as_ref();
        column
            .and_then(|column| column.first(doc))
            .unwrap_or_default()
    }

    /// The document with a number, unless it is deleted.
    fn doc_of_number(&self, number: u64) -> Option<u32> {
        let doc = self.by_number.doc(self.numbers.as_ref()?, number)?;
        (!self.reader.is_deleted(doc)).then_some(doc)
    }
}

impl Segment {
    /// The `most` documents that came first.
    pub fn earliest(&self, docs: &[u32], most: usize) -> Vec<u32> {
        let Some(column) = self.numbers.as_ref().filter(|_| most > 0) else {
            return Vec::new();
        };
        let mut first: Vec<(u64, u32)> = Vec::new();
        let mut latest = u64::MAX;
        for_each_value(column, docs, |doc, number| {
            if number >= latest {
                return;
            }
            first.push((number, doc));
            // Rarely enough that looking at each document once is the main cost.
            if first.len() >= 2 * most + MARGIN {
                first.select_nth_unstable(most - 1);
                first.truncate(most);
                latest = first.last().map_or(u64::MAX, |(number, _)| *number);
            }
        });
        first.sort_unstable();
        first.truncate(most);
        first.into_iter().map(|(_, doc)| doc).collect()
    }
}

impl Core {
    /// Opens every segment the searcher sees.
    pub fn open(
        searcher: Searcher,
        plan: Arc<IndexPlan>,
        fields: Arc<Fields>,
        analyzer: Analyzer,
    ) -> Result<Self, TantivyError> {
        Self::with_numbers(searcher, plan, fields, analyzer, &FxHashMap::default())
    }

    /// The state of a later searcher. What is known of a segment's numbers is taken over.
    pub fn reopened(&self, searcher: Searcher) -> Result<Self, TantivyError> {
        let known = self.segments.iter().map(|segment| {
            let by_number = Arc::clone(&segment.by_number);
            (segment.reader.segment_id(), by_number)
        });
        let (plan, fields) = (Arc::clone(&self.plan), Arc::clone(&self.fields));
        Self::with_numbers(
            searcher,
            plan,
            fields,
            self.analyzer.clone(),
            &known.collect(),
        )
    }

    fn with_numbers(
        searcher: Searcher,
        plan: Arc<IndexPlan>,
        fields: Arc<Fields>,
        analyzer: Analyzer,
        known: &FxHashMap<SegmentId, Arc<Numbers>>,
    ) -> Result<Self, TantivyError> {
        let mut segments = Vec::new();
        for reader in searcher.segment_readers() {
            let by_number = known.get(&reader.segment_id()).cloned().unwrap_or_default();
            segments.push(Segment::open(reader, &fields, by_number)?);
        }
        let mut gains = Vec::with_capacity(fields.texts.len());
        for (place, text) in fields.texts.iter().enumerate() {
            gains.push(gains_of(&segments, &fields, place, text.weight)?);
        }
        Ok(Self {
            plan,
            fields,
            analyzer,
            segments,
            gains,
            forms: Forms::default(),
            chinese: Chinese::default(),
            recognisers: Recognisers::default(),
            columns: RwLock::default(),
            attributes: OnceLock::new(),
            plain_analyzer: OnceLock::new(),
            _searcher: searcher,
        })
    }

    /// The analyser for text that is not English.
    pub fn plain_analyzer(&self) -> &Analyzer {
        let make = || self.plan.analyzer.without_english().analyzer();
        self.plain_analyzer.get_or_init(make)
    }

    /// Documents that are not deleted.
    pub fn count(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| u64::from(segment.reader.num_docs()))
            .sum()
    }

    /// Where the document with an id is.
    pub fn locate(&self, id: &str) -> Result<Option<Place>, TantivyError> {
        let term = Term::from_field_text(self.fields.id, id);
        for (number, segment) in self.segments.iter().enumerate() {
            let Some(mut postings) = segment.ids.read_postings(&term, IndexRecordOption::Basic)?
            else {
                continue;
            };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.reader.is_deleted(doc) {
                    return Ok(Some(Place {
                        segment: number as u32,
                        doc,
                    }));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    /// Where the document with a number is.
    pub fn place_of_number(&self, number: u64) -> Option<Place> {
        let mut segments = (0..).zip(&self.segments);
        segments.find_map(|(place, segment)| {
            let doc = segment.doc_of_number(number)?;
            Some(Place {
                segment: place,
                doc,
            })
        })
    }

    /// The number of the document at a place.
    pub fn number_at(&self, place: Place) -> u64 {
        let segment = self.segments.get(place.segment as usize);
        segment.map_or(0, |segment| segment.number(place.doc))
    }

    /// The columns of one attribute.
    pub fn attribute(&self, path: &str) -> Result<Arc<Attribute>, TantivyError> {
        if let Ok(open) = self.columns.read()
            && let Some(attribute) = open.get(path)
        {
            return Ok(Arc::clone(attribute));
        }
        let attribute = Arc::new(Attribute::open(self, path)?);
        // Any name may be asked for; only names that exist are worth remembering.
        if !attribute.is_absent()
            && let Ok(mut open) = self.columns.write()
            && open.len() < OPEN_ATTRIBUTES
        {
            open.insert(path.to_owned(), Arc::clone(&attribute));
        }
        Ok(attribute)
    }

    /// Every attribute that some document has and that is filterable, in alphabetical order.
    pub fn attributes(&self) -> Result<&[String], TantivyError> {
        if let Some(known) = self.attributes.get() {
            return Ok(known);
        }
        let mut found = FxHashSet::default();
        for segment in &self.segments {
            let mut marks = segment
                .marks
                .terms()
                .range()
                .ge("e")
                .lt("f")
                .into_stream()?;
            while marks.advance() {
                let key = marks.key().get(1..).unwrap_or_default();
                found.insert(value::path_of(&String::from_utf8_lossy(key)));
            }
        }
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort_unstable();
        Ok(self.attributes.get_or_init(|| found))
    }
}

/// What one occurrence counts in a field, by the code of the field's length: a word in a
/// field that is longer than usual says less.
fn gains_of(
    segments: &[Segment],
    fields: &Fields,
    place: usize,
    weight: f32,
) -> Result<Vec<f32>, TantivyError> {
    let mark = Term::from_field_text(fields.marks, &value::has_words(place));
    let (mut words, mut documents) = (0u64, 0u64);
    for segment in segments {
        words += segment
            .texts
            .get(place)
            .map_or(0, |text| text.postings.total_num_tokens());
        documents += u64::from(segment.marks.doc_freq(&mark)?);
    }
    // Documents without the field do not make it short for the others.
    let average = words.max(1) as f32 / documents.max(1) as f32;
    Ok((0..=u8::MAX)
        .map(|code| {
            let length = FieldNormReader::id_to_fieldnorm(code) as f32;
            weight / (1.0 - B + B * length / average)
        })
        .collect())
}
