//! The best few of many scored items.
//!
//! A heap of bounded size; whether an item may be listed at all is asked only
//! when it would enter, because that question can cost a filter evaluation.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Ordered so that the worst is the greatest: lower score, then higher number.
#[derive(Clone, Copy)]
struct Entry {
    item: u32,
    score: f32,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.item.cmp(&other.item))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// Collects the best items.
pub(crate) struct Best<'a> {
    k: usize,
    keep: &'a dyn Fn(u32) -> bool,
    heap: BinaryHeap<Entry>,
}

impl<'a> Best<'a> {
    pub fn new(k: usize, keep: &'a dyn Fn(u32) -> bool) -> Self {
        Self {
            k,
            keep,
            heap: BinaryHeap::new(),
        }
    }

    /// Offers an item; says whether it was good enough to be considered.
    pub fn offer(&mut self, item: u32, score: f64) -> bool {
        // Ties are ties of what is shown, so rounding comes before the comparison.
        let entry = Entry {
            item,
            score: score as f32,
        };
        let full = self.heap.len() >= self.k;
        if full && self.heap.peek().is_none_or(|worst| entry >= *worst) {
            return false;
        }
        if (self.keep)(item) {
            if full {
                self.heap.pop();
            }
            self.heap.push(entry);
        }
        true
    }

    /// The best first.
    pub fn into_vec(self) -> Vec<(u32, f32)> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|entry| (entry.item, entry.score))
            .collect()
    }
}
