//! What goes together: bought in one basket, or looked at in one visit.
//!
//! For each item in hand g with the weight w and each neighbour c that it was together with
//! n times, c gets
//!
//! ```text
//! w · n / √(N(g) · N(c)) · n / (n + 3)
//! ```
//!
//! where N counts the purchases (or views) of an item: the cosine of the two, shrunk because
//! one time proves little. The parts of several items in hand add up.

use super::candidate::{Candidate, Item, Part};
use profiles::{ItemNo, ItemStats, Neighbours, Profiles};
use rustc_hash::FxHashMap;

/// Counts are shrunk by count / (count + this).
const SHRINK: f64 = 3.0;

/// Which counts.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub source: &'static str,
    /// How often items were together with an item.
    pub neighbours: fn(&ItemStats) -> &Neighbours,
    /// How often an item was there at all.
    pub total: fn(&ItemStats) -> u64,
}

/// Baskets that had both.
pub(super) const BOUGHT: Counts = Counts {
    source: "bought-with",
    neighbours: ItemStats::neighbours,
    total: |stats| stats.purchases,
};

/// Visits in which both were looked at.
pub(super) const VIEWED: Counts = Counts {
    source: "also-viewed",
    neighbours: ItemStats::viewed_neighbours,
    total: |stats| stats.views + stats.clicks,
};

/// Items in hand with their weights, each once.
pub(super) struct Together {
    counts: Counts,
    given: Vec<(ItemNo, f64)>,
}

impl Together {
    /// Of these items.
    pub fn new(counts: Counts, given: Vec<(ItemNo, f64)>) -> Self {
        Self { counts, given }
    }

    /// The score of every item that was together with one in hand, the best first.
    pub fn scores(&self, profiles: &Profiles) -> Vec<(ItemNo, f64)> {
        let mut sums: FxHashMap<ItemNo, f64> = FxHashMap::default();
        // Each item in hand adds once to a neighbour, so the order of neighbours is no matter.
        for &(given, weight) in &self.given {
            let stats = profiles.stats(given);
            let weight = self.weight(stats, weight);
            for (neighbour, count) in (self.counts.neighbours)(stats).iter() {
                *sums.entry(neighbour).or_insert(0.0) += weight * shrunk(count);
            }
        }
        let mut scores: Vec<(ItemNo, f64)> = sums.into_iter().collect();
        for (item, sum) in &mut scores {
            *sum /= self.length(profiles.stats(*item));
        }
        scores.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores
    }

    /// The same as candidates.
    pub fn candidates(&self, profiles: &Profiles) -> Vec<Candidate> {
        let candidate = |(item, score)| Candidate {
            item: Item::Number(item),
            score,
            source: self.counts.source,
            parts: Vec::new(),
            modelled: true,
        };
        self.scores(profiles).into_iter().map(candidate).collect()
    }

    /// The part that each item in hand has in the score of an item.
    pub fn parts(&self, profiles: &Profiles, item: ItemNo) -> Vec<Part> {
        let mut parts = Vec::new();
        for &(given, weight) in &self.given {
            let stats = profiles.stats(given);
            let count = (self.counts.neighbours)(stats).count(item);
            if count > 0 {
                let value = self.weight(stats, weight) * shrunk(count);
                parts.push(Part {
                    because: self.counts.source,
                    item: Some(given),
                    value: value / self.length(profiles.stats(item)),
                });
            }
        }
        parts
    }

    fn weight(&self, stats: &ItemStats, weight: f64) -> f64 {
        weight / self.length(stats)
    }

    /// Of the item as a vector over baskets, or shoppers.
    fn length(&self, stats: &ItemStats) -> f64 {
        ((self.counts.total)(stats).max(1) as f64).sqrt()
    }
}

fn shrunk(count: u32) -> f64 {
    let count = f64::from(count);
    count * count / (count + SHRINK)
}
