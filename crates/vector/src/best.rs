//! The best few of the vectors that were looked at. Order is total, so that the same vectors
//! give the same list in whatever order they come.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A vector that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Where it stands.
    pub slot: u32,
    /// Its dot product with the query, which is the cosine of their angle.
    pub similarity: f32,
}

/// Keeps the `count` most similar of all that are at least so similar; equals by slot.
pub(crate) struct Best {
    count: usize,
    at_least: f32,
    /// The worst of the best is on top.
    heap: BinaryHeap<Ranked>,
}

impl Best {
    pub fn new(count: usize, at_least: f32) -> Self {
        Self {
            count,
            at_least,
            heap: BinaryHeap::new(),
        }
    }

    pub fn offer(&mut self, slot: u32, similarity: f32) {
        // What is not a number is not at least anything.
        let is_enough = similarity >= self.at_least;
        if !is_enough || self.count == 0 {
            return;
        }
        let offered = Ranked(Neighbour { slot, similarity });
        if self.heap.len() < self.count {
            self.heap.push(offered);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && offered < *worst
        {
            *worst = offered;
        }
    }

    /// Most similar first.
    pub fn into_sorted(self) -> Vec<Neighbour> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|Ranked(neighbour)| neighbour).collect()
    }
}

/// Less is better.
struct Ranked(Neighbour);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0, other.0);
        let by_similarity = b.similarity.total_cmp(&a.similarity);
        by_similarity.then(a.slot.cmp(&b.slot))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
