//! The crate from outside, against plain vectors in memory. Every number comes from a seed.

mod damage;
mod graph;
mod operations;
mod queries;

use crate::header::Layout;
use crate::{Neighbour, VectorStore};
use std::path::Path;

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From -1 to 1.
    fn float(&mut self) -> f32 {
        self.next() as i32 as f32 / i32::MAX as f32
    }

    /// A vector of length one.
    pub fn unit(&mut self, dimensions: usize) -> Vec<f32> {
        let vector: Vec<f32> = (0..dimensions).map(|_| self.float()).collect();
        unit(vector)
    }

    /// Vectors about few centres, one after the other.
    pub fn clustered(&mut self, count: usize, dimensions: usize) -> Vec<f32> {
        let centres: Vec<Vec<f32>> = (0..count / 100 + 1)
            .map(|_| self.unit(dimensions))
            .collect();
        let mut vectors = Vec::with_capacity(count * dimensions);
        for _ in 0..count {
            let centre = &centres[self.below(centres.len())];
            let around = self.unit(dimensions);
            let vector = centre.iter().zip(around).map(|(x, off)| x + 0.6 * off);
            vectors.extend(unit(vector.collect()));
        }
        vectors
    }
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// The nearest brain float by the definition, in double precision: seven bits behind the first.
pub(crate) fn brain(number: f32) -> f32 {
    if number == 0.0 {
        return number;
    }
    let exponent = f64::from(number).abs().log2().floor() as i32;
    let step = 2f64.powi(exponent - 7);
    ((f64::from(number) / step).round_ties_even() * step) as f32
}

/// What the store should hold.
#[derive(Clone, Default)]
pub(crate) struct Oracle(pub Vec<Vec<f32>>);

impl Oracle {
    pub fn append(&mut self, vectors: &[f32], dimensions: usize) {
        let vectors = vectors.chunks_exact(dimensions);
        self.0
            .extend(vectors.map(|vector| vector.iter().map(|&x| brain(x)).collect()));
    }

    pub fn similarity(&self, slot: u32, query: &[f32]) -> f64 {
        let products = self.0[slot as usize].iter().zip(query);
        products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }
}

/// Fails unless the answer is what the oracle says of some slots, up to rounding: the order of
/// nearly equal ones may differ, and whether one at the threshold is in.
#[track_caller]
pub(crate) fn assert_nearest(
    found: &[Neighbour],
    oracle: &Oracle,
    slots: impl Iterator<Item = u32>,
    (query, count, at_least): (&[f32], usize, f32),
) {
    const ROUNDING: f64 = 1e-6;
    let all: Vec<(u32, f64)> = slots
        .map(|slot| (slot, oracle.similarity(slot, query)))
        .collect();
    for one in found {
        let expected = all.iter().find(|(slot, _)| *slot == one.slot);
        let (_, expected) = expected.expect("only slots that were asked for");
        assert!(
            (f64::from(one.similarity) - expected).abs() < ROUNDING,
            "{one:?}"
        );
        assert!(one.similarity >= at_least, "{one:?}");
    }
    for pair in found.windows(2) {
        let key = |one: &Neighbour| (-one.similarity, one.slot);
        assert!(key(&pair[0]) < key(&pair[1]), "{pair:?} in order");
    }
    assert!(found.len() <= count);
    // Nothing that was left out is better than what is in.
    let bar = match found.last() {
        Some(worst) if found.len() == count => f64::from(worst.similarity),
        _ if count == 0 => return,
        _ => f64::from(at_least),
    };
    for (slot, similarity) in all {
        let is_in = found.iter().any(|one| one.slot == slot);
        assert!(
            is_in || similarity <= bar + ROUNDING,
            "{slot} with {similarity} is missing"
        );
    }
}

/// A store whose files hold few rows, so that tests have many files.
pub(crate) fn open(folder: &Path, dimensions: usize, known: u32) -> VectorStore {
    VectorStore::open_with(folder, small(dimensions), known).expect("a store that opens")
}

pub(crate) fn small(dimensions: usize) -> Layout {
    Layout {
        dimensions,
        chunk_rows: 7,
    }
}
