//! Weights from source items to target items, as sparse rows.
//!
//! Counting goes row by row: all places where a source stands are visited in
//! the order of the sequences, so a row is summed in one fixed order whatever
//! thread does it, and memory stays at the size of the result.

use crate::model::ModelError;
use crate::sums::summed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// One row per source; in a row, ascending targets and their positive weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// Row `b` is `offsets[b]..offsets[b + 1]`.
    offsets: Vec<u64>,
    targets: Vec<u32>,
    weights: Vec<f32>,
}

/// How pairs are counted and what becomes of the counts.
pub(crate) struct Counting<'a> {
    /// What a pair adds, by distance: the first is for distance 1.
    pub gains: &'a [f64],
    /// Strongest targets kept of a source.
    pub keep: usize,
    /// Makes a weight of a count.
    pub weight: &'a (dyn Fn(f64) -> f64 + Sync),
}

/// Far above any count, far below where sums of weights stop being finite.
const MOST_WEIGHT: f32 = 1e18;
/// Item numbers are `u32` and one is left free.
const MOST_ITEMS: usize = u32::MAX as usize;

impl Rows {
    /// Counts every ordered pair of a sequence that is no farther apart than there are gains. Items at or above
    /// `items` are passed over, but keep their place.
    pub fn count(
        sequences: &[Vec<u32>],
        items: usize,
        counting: &Counting,
    ) -> Result<Self, ModelError> {
        if items > MOST_ITEMS {
            return Err(ModelError::TooManyItems {
                items,
                most: MOST_ITEMS,
            });
        }
        let places = Places::of(sequences, items);
        let rows: Vec<Vec<(u32, f32)>> = (0..items)
            .into_par_iter()
            .map(|source| count_row(places.row(source), items, counting))
            .collect();
        let mut offsets = Vec::with_capacity(items + 1);
        offsets.push(0);
        let size = rows.iter().map(Vec::len).sum();
        let mut targets = Vec::with_capacity(size);
        let mut weights = Vec::with_capacity(size);
        for row in rows {
            targets.extend(row.iter().map(|entry| entry.0));
            weights.extend(row.iter().map(|entry| entry.1));
            offsets.push(targets.len() as u64);
        }
        Ok(Self {
            offsets,
            targets,
            weights,
        })
    }

    pub fn items(&self) -> usize {
        self.offsets.len() - 1
    }

    fn bounds(&self, source: u32) -> std::ops::Range<usize> {
        let source = source as usize;
        if source >= self.items() {
            return 0..0;
        }
        self.offsets[source] as usize..self.offsets[source + 1] as usize
    }

    /// Targets and weights of a source; nothing for an unknown one.
    pub fn row(&self, source: u32) -> impl Iterator<Item = (u32, f64)> {
        let bounds = self.bounds(source);
        let targets = &self.targets[bounds.clone()];
        targets
            .iter()
            .zip(&self.weights[bounds])
            .map(|(&target, &weight)| (target, f64::from(weight)))
    }

    /// The weight from a source to a target, zero where there is none.
    pub fn weight(&self, source: u32, target: u32) -> f64 {
        let bounds = self.bounds(source);
        match self.targets[bounds.clone()].binary_search(&target) {
            Ok(at) => f64::from(self.weights[bounds.start + at]),
            Err(_) => 0.0,
        }
    }

    /// Checks what the other methods rely on; needed after reading from bytes.
    pub fn check(&self) -> Result<(), ModelError> {
        let entries = self.targets.len() as u64;
        if self.weights.len() as u64 != entries {
            return Err(ModelError::Damaged("targets and weights differ in number"));
        }
        if self.offsets.first() != Some(&0) || self.offsets.last() != Some(&entries) {
            return Err(ModelError::Damaged("its rows do not cover its entries"));
        }
        if self.items() > MOST_ITEMS || self.offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(ModelError::Damaged("its rows are out of order"));
        }
        if self
            .weights
            .iter()
            .any(|weight| !(*weight > 0.0 && *weight <= MOST_WEIGHT))
        {
            return Err(ModelError::Damaged("a weight is out of range"));
        }
        let items = self.items();
        for bounds in self.offsets.windows(2) {
            let row = &self.targets[bounds[0] as usize..bounds[1] as usize];
            let ascending = row.windows(2).all(|pair| pair[0] < pair[1]);
            if !ascending || row.last().is_some_and(|&target| target as usize >= items) {
                return Err(ModelError::Damaged(
                    "a row names its targets out of order or out of range",
                ));
            }
        }
        Ok(())
    }
}

fn count_row<'a>(
    tails: impl Iterator<Item = &'a [u32]>,
    items: usize,
    counting: &Counting,
) -> Vec<(u32, f32)> {
    let counts = summed(items, |sums| {
        for tail in tails {
            for (&target, &gain) in tail.iter().zip(counting.gains) {
                if (target as usize) < items {
                    sums.add(target, gain);
                }
            }
        }
    });
    let weighed = counts
        .into_iter()
        .map(|(target, count)| (target, (counting.weight)(count) as f32));
    // A weight that rounds to zero would not count anyway.
    let mut row: Vec<(u32, f32)> = weighed.filter(|entry| entry.1 > 0.0).collect();
    if row.len() > counting.keep {
        row.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        row.truncate(counting.keep);
        row.sort_unstable_by_key(|entry| entry.0);
    }
    row
}

/// Where each item stands in the sequences.
struct Places<'a> {
    sequences: &'a [Vec<u32>],
    offsets: Vec<usize>,
    /// Sequence and position, by item, then in the order of the sequences.
    places: Vec<(u32, u32)>,
}

impl<'a> Places<'a> {
    fn of(sequences: &'a [Vec<u32>], items: usize) -> Self {
        let mut offsets = vec![0; items + 1];
        for &item in sequences
            .iter()
            .flatten()
            .filter(|&&item| (item as usize) < items)
        {
            offsets[item as usize + 1] += 1;
        }
        for item in 0..items {
            offsets[item + 1] += offsets[item];
        }
        let mut next = offsets.clone();
        let mut places = vec![(0, 0); offsets[items]];
        for (number, sequence) in (0..).zip(sequences) {
            for (position, &item) in (0..).zip(sequence) {
                if (item as usize) < items {
                    places[next[item as usize]] = (number, position);
                    next[item as usize] += 1;
                }
            }
        }
        Self {
            sequences,
            offsets,
            places,
        }
    }

    /// What follows each occurrence of an item.
    fn row(&self, item: usize) -> impl Iterator<Item = &'a [u32]> {
        let places = &self.places[self.offsets[item]..self.offsets[item + 1]];
        let sequences = self.sequences;
        places
            .iter()
            .map(move |&(number, position)| &sequences[number as usize][position as usize + 1..])
    }
}
