//! BM25F, one word at a time, over one segment after the other.
//!
//! For every unit of the query the occurrences of all its forms in all fields
//! are added up, each divided by how long the field is and multiplied with the
//! field's weight (Robertson, Zaragoza and Taylor, "Simple BM25 Extension to
//! Multiple Weighted Fields", 2004). The sum is saturated once and multiplied
//! with the unit's weight. Accumulators live as long as their thread.

use crate::bits::{Bits, ItemSet};
use crate::snapshot::{Core, Segment, Text};
use crate::tuning::p;
use crate::units::{Units, Variant};
use std::cell::RefCell;
use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED, TantivyError, Term};

/// How soon further occurrences stop counting.
pub(crate) const K1: f32 = 1.2;
/// How much the length of a field counts.
pub(crate) const B: f32 = 0.75;

/// A document that is in the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub segment: u32,
    pub doc: u32,
    /// From 0 to 1.
    pub score: f32,
    pub words: u8,
    pub typos: u8,
}

/// What is known of one document while a segment is scored.
#[derive(Clone, Copy, Default)]
struct Slot {
    score: f32,
    /// Of the unit in progress, not yet saturated.
    gain: f32,
    mask: u16,
    /// The unit in progress, from 1; 0 for a document not met so far.
    unit: u8,
    typos: u8,
}

#[derive(Default)]
struct Scratch {
    slots: Vec<Slot>,
    touched: Vec<u32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Which text fields are searched, and which of them forgive typos.
pub(crate) struct Searched {
    pub fields: Vec<usize>,
    pub forgiving: Vec<bool>,
}

/// Everything that matches, unordered but grouped by segment.
///
/// Which documents match is decided without the filter, so that a facet's count is what the
/// same query finds with the facet's value as a filter.
pub(crate) fn candidates(
    core: &Core,
    units: &Units,
    searched: &Searched,
    filter: Option<&ItemSet>,
) -> Result<Vec<Candidate>, TantivyError> {
    let mut found = Vec::new();
    let mut levels = vec![0usize; units.units.len() + 1];
    for number in 0..core.segments.len() {
        let scorer = Scorer {
            core,
            units,
            searched,
            segment: &core.segments[number],
        };
        SCRATCH.with_borrow_mut(|scratch| scorer.run(number, scratch, filter, &mut levels, &mut found))?;
    }
    let required = required_level(units, &levels);
    found.retain(|candidate: &Matched| candidate.level >= required);
    Ok(found.into_iter().map(|matched| matched.candidate).collect())
}

/// A candidate and how many units from the front it has without a gap.
struct Matched {
    candidate: Candidate,
    level: usize,
}

/// How many units from the front a document must have to be in the answer.
fn required_level(units: &Units, levels: &[usize]) -> usize {
    let enough = p("ENOUGH", 20.0) as usize;
    let all = units.units.len();
    if units.hopeless {
        return all + 1;
    }
    let mut reached = 0;
    for level in (1..=all).rev() {
        reached += levels[level];
        if reached >= enough {
            return level;
        }
    }
    p("FLOOR", 1.0) as usize
}

struct Scorer<'a> {
    core: &'a Core,
    units: &'a Units,
    searched: &'a Searched,
    segment: &'a Segment,
}

impl Scorer<'_> {
    fn run(
        &self,
        number: usize,
        scratch: &mut Scratch,
        filter: Option<&ItemSet>,
        levels: &mut [usize],
        found: &mut Vec<Matched>,
    ) -> Result<(), TantivyError> {
        let documents = self.segment.reader.max_doc() as usize;
        if scratch.slots.len() < documents {
            scratch.slots.resize(documents, Slot::default());
        }
        let outcome = self.fill(scratch);
        let excluded = self.excluded();
        // The slots must be clean for the next query whatever happened.
        let (mandatory, all) = (self.mandatory(), self.units.units.len());
        let filter = filter.and_then(|set| set.bits.get(number));
        let alive = self.segment.reader.alive_bitset();
        let Scratch { slots, touched } = scratch;
        for doc in touched.drain(..) {
            let slot = std::mem::take(&mut slots[doc as usize]);
            let gone = alive.is_some_and(|alive| alive.is_deleted(doc));
            let banned = excluded.as_ref().is_ok_and(|excluded| excluded.as_ref().is_some_and(|bits| bits.contains(doc)));
            if gone || banned || slot.mask & mandatory != mandatory {
                continue;
            }
            let level = (slot.mask.trailing_ones() as usize).min(all);
            levels[level] += 1;
            if filter.is_some_and(|bits| !bits.contains(doc)) {
                continue;
            }
            let candidate = Candidate {
                segment: number as u32,
                doc,
                score: ((slot.score + self.settled(&slot)) / self.most()).clamp(0.0, 1.0),
                words: slot.mask.count_ones() as u8,
                typos: slot.typos,
            };
            found.push(Matched { candidate, level });
        }
        outcome?;
        excluded.map(drop)
    }

    /// The score of a document that has everything as often as can be.
    fn most(&self) -> f32 {
        let pairs: f32 = self.units.pairs.iter().map(|(_, weight)| weight).sum();
        (self.units.weight + pairs).max(f32::MIN_POSITIVE)
    }

    fn mandatory(&self) -> u16 {
        let units = self.units.units.iter().enumerate();
        units.filter(|(_, unit)| unit.mandatory).fold(0, |mask, (number, _)| mask | 1 << number)
    }

    /// What the unit in progress adds to the score.
    fn settled(&self, slot: &Slot) -> f32 {
        let saturated = slot.gain / (p("K1", K1) + slot.gain);
        match usize::from(slot.unit).checked_sub(1) {
            None => 0.0,
            Some(number) => match self.units.units.get(number) {
                Some(unit) => unit.weight * saturated,
                None => {
                    let pair = self.units.pairs.get(number - self.units.units.len());
                    pair.map_or(0.0, |(_, weight)| weight * saturated)
                }
            },
        }
    }

    fn fill(&self, scratch: &mut Scratch) -> Result<(), TantivyError> {
        for (number, unit) in self.units.units.iter().enumerate() {
            for variant in &unit.variants {
                self.add(variant, number, scratch)?;
            }
        }
        let units = self.units.units.len();
        for (number, (pair, _)) in self.units.pairs.iter().enumerate() {
            for field in self.searched.fields.iter().take(p("PAIRFIELDS", 1.0) as usize) {
                let (text, gains) = (&self.segment.texts[*field], &self.core.gains[*field]);
                each_phrase(self.core, text, *field, &pair.words, |doc, count| {
                    let gain = gains[usize::from(text.lengths.fieldnorm_id(doc))];
                    let slot = &mut scratch.slots[doc as usize];
                    if slot.mask != 0 {
                        if usize::from(slot.unit) != units + number + 1 {
                            slot.score += self.settled(slot);
                            slot.gain = 0.0;
                            slot.unit = (units + number + 1) as u8;
                        }
                        slot.gain += count as f32 * gain;
                    }
                })?;
            }
        }
        Ok(())
    }

    fn add(&self, variant: &Variant, number: usize, scratch: &mut Scratch) -> Result<(), TantivyError> {
        for (field, forgiving) in self.searched.fields.iter().zip(&self.searched.forgiving) {
            if variant.typos > 0 && !forgiving {
                continue;
            }
            let (text, gains) = (&self.segment.texts[*field], &self.core.gains[*field]);
            let mut meet = |doc: u32, count: u32| {
                let gain = gains[usize::from(text.lengths.fieldnorm_id(doc))];
                let slot = &mut scratch.slots[doc as usize];
                if usize::from(slot.unit) != number + 1 {
                    if slot.unit == 0 {
                        scratch.touched.push(doc);
                    }
                    slot.score += self.settled(slot);
                    slot.gain = 0.0;
                    slot.unit = number as u8 + 1;
                    slot.mask |= 1 << number;
                    slot.typos = slot.typos.saturating_add(variant.typos);
                }
                slot.gain += count as f32 * gain * variant.factor;
            };
            match variant.words.as_slice() {
                [word] => {
                    let term = Term::from_field_text(self.core.fields.texts[*field].field, word);
                    let block = text.postings.read_block_postings(&term, IndexRecordOption::WithFreqs)?;
                    let Some(mut block) = block else { continue };
                    while block.block_len() > 0 {
                        for (doc, count) in block.docs().iter().zip(block.freqs()) {
                            meet(*doc, *count);
                        }
                        block.advance();
                    }
                }
                words => each_phrase(self.core, text, *field, words, meet)?,
            }
        }
        Ok(())
    }

    /// The documents that a minus sign keeps out.
    fn excluded(&self) -> Result<Option<Bits>, TantivyError> {
        if self.units.excluded.is_empty() {
            return Ok(None);
        }
        excluded(self.core, self.segment, &self.units.excluded).map(Some)
    }
}

/// The documents of a segment that have any of the words or phrases, wherever.
pub(crate) fn excluded(core: &Core, segment: &Segment, unwanted: &[Vec<String>]) -> Result<Bits, TantivyError> {
    let mut bits = Bits::none(segment.reader.max_doc());
    for words in unwanted {
        if let [word] = words.as_slice() {
            let term = Term::from_field_text(core.fields.words, word);
            if let Some(mut block) = segment.words.read_block_postings(&term, IndexRecordOption::Basic)? {
                while block.block_len() > 0 {
                    block.docs().iter().for_each(|doc| bits.insert(*doc));
                    block.advance();
                }
            }
            continue;
        }
        for (field, text) in segment.texts.iter().enumerate() {
            each_phrase(core, text, field, words, |doc, _| bits.insert(doc))?;
        }
    }
    Ok(bits)
}

/// Calls `meet` with every document that has the words side by side, and how often.
fn each_phrase(
    core: &Core,
    text: &Text,
    field: usize,
    words: &[String],
    mut meet: impl FnMut(u32, u32),
) -> Result<(), TantivyError> {
    let mut lists = Vec::with_capacity(words.len());
    for word in words {
        let term = Term::from_field_text(core.fields.texts[field].field, word);
        let option = IndexRecordOption::WithFreqsAndPositions;
        match text.postings.read_postings(&term, option)? {
            Some(list) => lists.push(list),
            None => return Ok(()),
        }
    }
    let mut doc = lists.first().map_or(TERMINATED, |list| list.doc());
    let (mut starts, mut positions) = (Vec::new(), Vec::new());
    'documents: while doc != TERMINATED {
        for list in &mut lists {
            if list.doc() < doc {
                list.seek(doc);
            }
            if list.doc() > doc {
                doc = list.doc();
                continue 'documents;
            }
        }
        for (offset, list) in lists.iter_mut().enumerate() {
            // Positions as if the word were the first of the phrase.
            list.positions(&mut positions);
            positions.retain(|position| *position >= offset as u32);
            positions.iter_mut().for_each(|position| *position -= offset as u32);
            if offset == 0 {
                std::mem::swap(&mut starts, &mut positions);
            } else {
                starts.retain(|start| positions.binary_search(start).is_ok());
            }
        }
        if !starts.is_empty() {
            meet(doc, starts.len() as u32);
        }
        doc = lists.first_mut().map_or(TERMINATED, |list| list.advance());
    }
    Ok(())
}
