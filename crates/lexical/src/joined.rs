//! Joining what the words find with what another source has scored.
//!
//! The words' part of a score is a document's share of the best share that the
//! words give; the other part is what the source says. Both parts go by the query
//! alone: a filter decides who is in the answer and changes nobody's score, so a
//! facet's count stays what the same query finds with that value as a filter.

use crate::bits::{Bits, ItemSet};
use crate::postings;
use crate::score::Candidate;
use crate::snapshot::{Core, Place};
use crate::units::Units;
use rustc_hash::FxHashMap;
use std::fmt;
use tantivy::TantivyError;

/// Word candidates whose other score is asked for: the best by their words. A query of frequent
/// words finds a large part of a catalogue, and asking for all of it would cost more than the
/// search; whoever stands behind so many others has the source's word only if it names them.
const ASKED: usize = 2_000;

/// Items that another source has scored, joined with those that the words find.
///
/// The answer holds what the words find, and the items that are there, pass the filter and have
/// none of the words behind a minus. A text without words to look for finds nothing by itself.
/// Scores outside their range are brought into it, and what is not a number counts as 0.
#[derive(Clone, Copy)]
pub struct Joined<'a> {
    /// Items of the other source by number with their score from 0 to 1; they belong to the
    /// result whether or not a word matches. Of several scores of one item the best counts.
    pub items: &'a [(u64, f32)],
    /// The other source's score of any item, for those that the words found; 0 when it knows
    /// nothing of it. Only the 2,000 best by their words are asked for.
    pub score: &'a dyn Fn(u64) -> f32,
    /// How much of the joined score the other source decides: from 0 (words alone) to 1 (it
    /// alone, the words find nothing).
    pub ratio: f32,
}

impl fmt::Debug for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("items", &self.items)
            .field("ratio", &self.ratio)
            .finish_non_exhaustive()
    }
}

impl Joined<'_> {
    /// Whether what the words find counts.
    pub(crate) fn has_words(&self) -> bool {
        self.ratio() < 1.0
    }

    pub(crate) fn ratio(&self) -> f32 {
        unit(self.ratio)
    }
}

/// A number from 0 to 1.
fn unit(raw: f32) -> f32 {
    if raw.is_nan() {
        return 0.0;
    }
    // Adding 0.0 folds -0.0 into 0.0, which are not equal to an order by score.
    raw.clamp(0.0, 1.0) + 0.0
}

/// Joins the candidates of the words, found without a filter, with the items of the source.
pub(crate) fn join(
    core: &Core,
    joined: &Joined<'_>,
    units: &Units,
    filter: Option<&ItemSet>,
    candidates: Vec<Candidate>,
) -> Result<Vec<Candidate>, TantivyError> {
    let best = candidates.iter().map(|candidate| candidate.share);
    let best = best.fold(f32::MIN_POSITIVE, f32::max);
    let asked = asked(core, &candidates);
    let mut items = placed(core, joined.items);
    let ratio = joined.ratio();
    let mut found = Vec::with_capacity(candidates.len() + items.len());
    for (number, mut candidate) in (0..).zip(candidates) {
        let place = candidate.place();
        let other = items.remove(&place);
        if !passes(filter, place) {
            continue;
        }
        candidate.other = match other {
            Some(score) => score,
            None if asked.contains(number) => unit((joined.score)(core.number_at(place))),
            None => 0.0,
        };
        let words = candidate.share / best;
        candidate.relevance = unit((1.0 - ratio) * words + ratio * candidate.other);
        found.push(candidate);
    }
    let mut rest: Vec<(Place, f32)> = items.into_iter().collect();
    rest.retain(|(place, _)| passes(filter, *place));
    drop_excluded(core, units, &mut rest)?;
    found.extend(rest.into_iter().map(|(place, other)| Candidate {
        relevance: unit(ratio * other),
        other,
        ..Candidate::unscored(place)
    }));
    Ok(found)
}

/// The candidates whose other score is asked for, by their places in the list.
fn asked(core: &Core, candidates: &[Candidate]) -> Bits {
    let count = candidates.len() as u32;
    if candidates.len() <= ASKED {
        return Bits::every(count);
    }
    let mut places: Vec<u32> = (0..count).collect();
    let candidate = |place: u32| &candidates[place as usize];
    // Numbers break ties, because places differ from one way of writing the index to another.
    let number = |place: u32| core.number_at(candidate(place).place());
    places.select_nth_unstable_by(ASKED, |a, b| {
        let order = candidate(*b).share.total_cmp(&candidate(*a).share);
        order.then_with(|| number(*a).cmp(&number(*b)))
    });
    let mut best = Bits::none(count);
    places
        .iter()
        .take(ASKED)
        .for_each(|place| best.insert(*place));
    best
}

/// Where the items are that are there, with their scores.
fn placed(core: &Core, items: &[(u64, f32)]) -> FxHashMap<Place, f32> {
    let mut places = FxHashMap::default();
    for (number, score) in items {
        if let Some(place) = core.place_of_number(*number) {
            let known = places.entry(place).or_insert(0.0f32);
            *known = known.max(unit(*score));
        }
    }
    places
}

fn passes(filter: Option<&ItemSet>, place: Place) -> bool {
    filter.is_none_or(|set| set.has(place))
}

/// Drops items with a word behind a minus, and leaves the others in the order of their places.
fn drop_excluded(
    core: &Core,
    units: &Units,
    items: &mut Vec<(Place, f32)>,
) -> Result<(), TantivyError> {
    items.sort_unstable_by_key(|(place, _)| *place);
    if units.excluded.is_empty() {
        return Ok(());
    }
    let mut kept = Vec::with_capacity(items.len());
    for group in items.chunk_by(|(a, _), (b, _)| a.segment == b.segment) {
        let Some((first, _)) = group.first() else {
            continue;
        };
        let segment = &core.segments[first.segment as usize];
        let excluded = postings::excluded(core, segment, &units.excluded)?;
        kept.extend(
            group
                .iter()
                .filter(|(place, _)| !excluded.contains(place.doc)),
        );
    }
    *items = kept;
    Ok(())
}
