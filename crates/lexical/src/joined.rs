//! Joining what the words find with what another source has scored.
//!
//! Each part of a score is worth what its [`Spread`] says, and the ratio weighs the parts.
//! Then the source may look at the best of this first order and score once more. All of it
//! goes by the query alone: a filter decides who is in the answer and changes nobody's score,
//! so a facet's count stays what the same query finds with that value as a filter.

use crate::bits::{Bits, ItemSet};
use crate::postings;
use crate::score::Candidate;
use crate::snapshot::{Core, Place};
use crate::spread::{DEPTH, Spread};
use crate::units::Units;
use rustc_hash::FxHashMap;
use std::fmt;
use tantivy::TantivyError;

/// Word candidates whose other score is asked for: the best by their words. A query of frequent
/// words finds a large part of a catalogue, and asking for all of it would cost more than the
/// search; whoever stands behind so many others has the source's word only if it names them.
const ASKED: usize = 2_000;

/// The best of the first order, from which the source may learn what is meant: a page of them.
const LEADING: usize = 20;

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
    /// The [`DEPTH`](Self::DEPTH) best items of the other source whatever the filter, because what
    /// a score is worth is measured by them. Those that pass the filter belong to the result too.
    pub leaders: &'a [(u64, f32)],
    /// The other source's scores of any items, for those that the words found; 0 when it knows
    /// nothing of one. Only the 2,000 best by their words are asked for.
    pub scores: &'a dyn Fn(&[u64]) -> Vec<f32>,
    /// Scores once more, now that the best items are known; `None` where that is of no use.
    pub again: Option<&'a Again<'a>>,
    /// How much of the joined score the other source decides: from 0 (words alone) to 1 (it
    /// alone, the words find nothing).
    pub ratio: f32,
}

/// From the numbers of the best items and those of others to the scores of these, in their order.
pub type Again<'a> = dyn Fn(&[u64], &[u64]) -> Option<Vec<f32>> + 'a;

impl fmt::Debug for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("items", &self.items)
            .field("ratio", &self.ratio)
            .finish_non_exhaustive()
    }
}

impl Joined<'_> {
    /// How many of the best items the scale of the scores depends on.
    pub const DEPTH: usize = DEPTH;

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
    let mut pool = Pool::new(core, joined, units, candidates)?;
    if pool.ratio > 0.0 && pool.ratio < 1.0 {
        pool.weigh();
        pool.ask_again(core, joined);
    }
    let mut found = pool.candidates;
    found.retain(|candidate| passes(filter, candidate.place()));
    Ok(found)
}

/// Everything that has a part in a joined answer or in the scale of its scores.
struct Pool {
    /// What the words found, then the leaders, then the other items.
    candidates: Vec<Candidate>,
    /// What the source says of each of them; nothing where it was not asked.
    others: Vec<Option<f32>>,
    /// How many the words found.
    words: usize,
    /// How many make the scale: these and the leaders.
    scale: usize,
    ratio: f32,
}

impl Pool {
    fn new(
        core: &Core,
        joined: &Joined<'_>,
        units: &Units,
        candidates: Vec<Candidate>,
    ) -> Result<Self, TantivyError> {
        let asked = asked(core, &candidates);
        let mut leaders = placed(core, joined.leaders);
        let mut items = placed(core, joined.items);
        let mut pool = Self {
            words: candidates.len(),
            scale: 0,
            others: Vec::with_capacity(candidates.len() + leaders.len() + items.len()),
            ratio: joined.ratio(),
            candidates,
        };
        let (mut wanted, mut numbers) = (Vec::new(), Vec::new());
        for (number, candidate) in (0..).zip(&pool.candidates) {
            let place = candidate.place();
            let named = [leaders.remove(&place), items.remove(&place)];
            let named = named.into_iter().flatten().reduce(f32::max);
            pool.others.push(named);
            if named.is_none() && asked.contains(number) {
                wanted.push(number as usize);
                numbers.push(core.number_at(place));
            }
        }
        for (place, score) in wanted.into_iter().zip((joined.scores)(&numbers)) {
            pool.others[place] = Some(unit(score));
        }
        for place in leaders.keys() {
            items.remove(place);
        }
        pool.append(core, units, leaders)?;
        pool.scale = pool.candidates.len();
        pool.append(core, units, items)?;
        pool.add_up();
        Ok(pool)
    }

    /// Appends items that no word found.
    fn append(
        &mut self,
        core: &Core,
        units: &Units,
        items: FxHashMap<Place, f32>,
    ) -> Result<(), TantivyError> {
        let mut items: Vec<(Place, f32)> = items.into_iter().collect();
        drop_excluded(core, units, &mut items)?;
        for (place, other) in items {
            self.candidates.push(Candidate::unscored(place));
            self.others.push(Some(other));
        }
        Ok(())
    }

    /// The scores as they are, by which rules of the shop tell what is about equal.
    fn add_up(&mut self) {
        let shares = self.candidates.iter().map(|candidate| candidate.share);
        let best = shares.fold(f32::MIN_POSITIVE, f32::max);
        for (candidate, other) in self.candidates.iter_mut().zip(&self.others) {
            let words = (1.0 - self.ratio) * candidate.share / best;
            candidate.other = self.ratio * other.unwrap_or_default();
            candidate.plain = unit(words + candidate.other);
            candidate.relevance = candidate.plain;
        }
    }

    /// The scores by what the parts are worth.
    fn weigh(&mut self) {
        let shares = self.candidates.iter().take(self.words);
        let words = Spread::of(shares.map(|candidate| candidate.share));
        let other = Spread::of(self.others.iter().take(self.scale).flatten().copied());
        let most = (1.0 - self.ratio) * words.most() + self.ratio * other.most();
        let (of_words, of_other) = match most > 0.0 {
            true => ((1.0 - self.ratio) / most, self.ratio / most),
            false => (0.0, 0.0),
        };
        for (candidate, score) in self.candidates.iter_mut().zip(&self.others) {
            candidate.other = unit(of_other * other.worth(score.unwrap_or_default()));
            candidate.relevance = unit(of_words * words.worth(candidate.share) + candidate.other);
        }
    }

    /// The numbers of the best, best first.
    fn leading(&self, core: &Core) -> Vec<u64> {
        let number = |place: usize| core.number_at(self.candidates[place].place());
        let order = |a: &usize, b: &usize| {
            let score = |place: usize| self.candidates[place].relevance;
            let order = score(*b).total_cmp(&score(*a));
            order.then_with(|| number(*a).cmp(&number(*b)))
        };
        let mut leading: Vec<usize> = (0..self.scale).collect();
        if leading.len() > LEADING {
            leading.select_nth_unstable_by(LEADING, order);
            leading.truncate(LEADING);
        }
        leading.sort_unstable_by(order);
        leading.into_iter().map(number).collect()
    }

    /// Lets the source look at the best, and weighs what it says then.
    fn ask_again(&mut self, core: &Core, joined: &Joined<'_>) {
        let Some(again) = joined.again else { return };
        let leading = self.leading(core);
        let candidates = self.candidates.iter().zip(&self.others);
        let known = candidates.filter(|(_, other)| other.is_some());
        let known = known.map(|(candidate, _)| core.number_at(candidate.place()));
        let known: Vec<u64> = known.collect();
        if let Some(scores) = again(&leading, &known) {
            let mut scores = scores.into_iter().map(unit);
            for other in self.others.iter_mut().flatten() {
                *other = scores.next().unwrap_or_default();
            }
            self.weigh();
        }
    }
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
