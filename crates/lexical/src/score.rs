//! BM25F, one word at a time, over one segment after the other.
//!
//! For every unit of the query the occurrences of all its forms in all fields
//! are added up, each divided by how long the field is and multiplied with the
//! field's weight (Robertson, Zaragoza and Taylor, "Simple BM25 Extension to
//! Multiple Weighted Fields", 2004). The sum is saturated once and multiplied
//! with the unit's weight. Accumulators live as long as their thread.

use crate::bits::{Bits, ItemSet};
use crate::postings::{each_phrase, each_word, excluded, insert_all};
use crate::snapshot::{Core, Place, Segment};
use crate::units::{Units, Variant};
use std::cell::RefCell;
use std::time::Instant;
use tantivy::TantivyError;

/// How soon further occurrences stop counting.
pub(crate) const K1: f32 = 1.2;
/// How much the length of a field counts.
pub(crate) const B: f32 = 0.75;
/// Words are dropped from the end of a query until so many documents match.
const ENOUGH: usize = 20;
/// Fields, from the most important one, in which standing side by side counts.
const PAIR_FIELDS: usize = 1;
/// Typos from here on make a score no worse.
const MOST_TYPOS: f32 = 3.0;

/// A document that is in the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub segment: u32,
    pub doc: u32,
    /// What it scores of the most that the query could give, from 0 to 1.
    pub share: f32,
    /// What it is ordered by: its share or, where another source is joined, the joined score.
    pub relevance: f32,
    /// What another source contributes to that.
    pub other: f32,
    /// The same without weighing how scores are spread: what counts as about equal.
    pub plain: f32,
    pub words: u8,
    pub typos: u8,
}

impl Candidate {
    /// A document of which the words say nothing.
    pub fn unscored(place: Place) -> Self {
        Self {
            segment: place.segment,
            doc: place.doc,
            share: 0.0,
            relevance: 0.0,
            other: 0.0,
            plain: 0.0,
            words: 0,
            typos: 0,
        }
    }

    pub fn place(&self) -> Place {
        Place {
            segment: self.segment,
            doc: self.doc,
        }
    }

    /// From 0 to 1: first by words, then by typos, then by share, as the usual ranking rules
    /// put it, so that scores fall along the answer.
    pub fn score(&self, asked: usize) -> f64 {
        if asked == 0 {
            return 1.0;
        }
        let typos = f32::from(self.typos).min(MOST_TYPOS);
        let within = f64::from((MOST_TYPOS - typos + self.share) / (MOST_TYPOS + 1.0));
        (f64::from(self.words) - 1.0 + within) / asked as f64
    }
}

impl Units {
    /// The score of a document that has everything as often as can be.
    pub fn most(&self) -> f32 {
        let pairs: f32 = self.pairs.iter().map(|(_, weight)| weight).sum();
        (self.weight + pairs).max(f32::MIN_POSITIVE)
    }
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
/// same query finds with the facet's value as a filter. What costs most, misspelt forms and
/// words side by side, is left out once the deadline has passed.
pub(crate) fn candidates(
    core: &Core,
    units: &Units,
    searched: &Searched,
    filter: Option<&ItemSet>,
    deadline: Option<Instant>,
) -> Result<Vec<Candidate>, TantivyError> {
    let mut found = Vec::new();
    let mut levels = vec![0usize; units.units.len() + 1];
    for number in 0..core.segments.len() {
        let scorer = Scorer {
            core,
            units,
            searched,
            segment: &core.segments[number],
            deadline,
        };
        SCRATCH.with_borrow_mut(|scratch| {
            scorer.run(number, scratch, filter, &mut levels, &mut found)
        })?;
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
    if units.hopeless {
        return usize::MAX;
    }
    let mut reached = 0;
    for (level, count) in levels.iter().enumerate().skip(units.needed).rev() {
        reached += count;
        if reached >= ENOUGH {
            return level;
        }
    }
    units.needed.max(1)
}

struct Scorer<'a> {
    core: &'a Core,
    units: &'a Units,
    searched: &'a Searched,
    segment: &'a Segment,
    deadline: Option<Instant>,
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
        let (mandatory, all, most) = (self.mandatory(), self.units.units.len(), self.units.most());
        let filter = filter.and_then(|set| set.bits.get(number));
        let alive = self.segment.reader.alive_bitset();
        // The slots must be clean for the next query, also after a failure.
        let Scratch { slots, touched } = scratch;
        for doc in touched.drain(..) {
            let slot = std::mem::take(&mut slots[doc as usize]);
            let gone = alive.is_some_and(|alive| alive.is_deleted(doc));
            let banned = excluded
                .as_ref()
                .is_ok_and(|excluded| excluded.as_ref().is_some_and(|bits| bits.contains(doc)));
            if gone || banned || slot.mask & mandatory != mandatory {
                continue;
            }
            let level = (slot.mask.trailing_ones() as usize).min(all);
            levels[level] += 1;
            if filter.is_some_and(|bits| !bits.contains(doc)) {
                continue;
            }
            let sum = slot.score + self.settled(&slot);
            let share = (sum / most).clamp(0.0, 1.0);
            let candidate = Candidate {
                segment: number as u32,
                doc,
                share,
                relevance: share,
                other: 0.0,
                plain: share,
                words: slot.mask.count_ones() as u8,
                typos: slot.typos,
            };
            found.push(Matched { candidate, level });
        }
        outcome?;
        excluded.map(drop)
    }

    fn mandatory(&self) -> u16 {
        let units = self.units.units.iter().enumerate();
        units
            .filter(|(_, unit)| unit.mandatory)
            .fold(0, |mask, (number, _)| mask | 1 << number)
    }

    /// What the unit in progress adds to the score.
    fn settled(&self, slot: &Slot) -> f32 {
        let saturated = slot.gain / (K1 + slot.gain);
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
                if variant.typos > 0 && self.is_late() {
                    continue;
                }
                self.add(variant, number, scratch)?;
            }
        }
        let units = self.units.units.len();
        for (number, (pair, _)) in self.units.pairs.iter().enumerate() {
            if self.is_late() {
                break;
            }
            for field in self.searched.fields.iter().take(PAIR_FIELDS) {
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

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|at| Instant::now() >= at)
    }

    fn add(
        &self,
        variant: &Variant,
        number: usize,
        scratch: &mut Scratch,
    ) -> Result<(), TantivyError> {
        if variant.anywhere {
            return self.add_anywhere(variant, number, scratch);
        }
        for (field, forgiving) in self.searched.fields.iter().zip(&self.searched.forgiving) {
            if variant.typos > 0 && !forgiving {
                continue;
            }
            let (text, gains) = (&self.segment.texts[*field], &self.core.gains[*field]);
            let meet = |doc: u32, count: u32| {
                let gain = gains[usize::from(text.lengths.fieldnorm_id(doc))];
                self.meet(variant, number, doc, count as f32 * gain, scratch);
            };
            match variant.words.as_slice() {
                [word] => each_word(
                    &text.postings,
                    self.core.fields.texts[*field].field,
                    word,
                    meet,
                )?,
                words => each_phrase(self.core, text, *field, words, meet)?,
            }
        }
        Ok(())
    }

    /// As [`add`](Self::add), for what stands among all words of a document. A search in some
    /// attributes only cannot tell where these stand.
    fn add_anywhere(
        &self,
        variant: &Variant,
        number: usize,
        scratch: &mut Scratch,
    ) -> Result<(), TantivyError> {
        if self.searched.fields.len() < self.core.fields.texts.len() {
            return Ok(());
        }
        let mut bits = Bits::none(self.segment.reader.max_doc());
        for word in &variant.words {
            insert_all(&self.segment.words, self.core.fields.words, word, &mut bits)?;
        }
        for doc in bits.iter() {
            self.meet(variant, number, doc, 1.0, scratch);
        }
        Ok(())
    }

    /// Counts an occurrence of a form of a unit.
    fn meet(&self, variant: &Variant, number: usize, doc: u32, gain: f32, scratch: &mut Scratch) {
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
        slot.gain += gain * variant.factor;
    }

    /// The documents that a minus sign keeps out.
    fn excluded(&self) -> Result<Option<Bits>, TantivyError> {
        if self.units.excluded.is_empty() {
            return Ok(None);
        }
        excluded(self.core, self.segment, &self.units.excluded).map(Some)
    }
}
