//! Batches in which pairs stand beside their hard negatives. A wrong item teaches the more the
//! nearer it is, and one that is in the batch anyway costs nothing: so half of a batch is drawn,
//! and the other half are the pairs whose items lie nearest to the drawn queries.

use super::loss::AS_RIGHT;
use crate::product::{self, Into};
use fastrand::Rng;
use rayon::prelude::*;

/// Nearest wrong items that are kept of a query.
const KEPT: usize = 8;
/// Queries that are compared with all items at once.
const ROWS: usize = 64;

/// Vectors of queries and items, pair by pair, now and before training.
pub(super) struct Compared<'a> {
    pub now: [&'a [f32]; 2],
    pub guide: [&'a [f32]; 2],
    pub width: usize,
}

impl Compared<'_> {
    /// By pair, the pairs whose items are nearest to its query, the nearest first. Items that
    /// the model before training finds as right as the own are no wrong ones.
    fn nearest(&self) -> Vec<Vec<u32>> {
        let size = ROWS * self.width;
        let queries = self.now[0].par_chunks(size);
        let guides = self.guide[0].par_chunks(size);
        let blocks = queries
            .zip(guides)
            .enumerate()
            .map(|(block, (now, guide))| {
                let likeness = |queries: &[f32], items: &[f32]| {
                    let numbers = queries.len() / self.width * (items.len() / self.width);
                    let mut out = vec![0.0; numbers];
                    product::by_transposed(queries, items, self.width, &mut out, Into::Replace);
                    out
                };
                let pairs = self.now[1].len() / self.width;
                let now = likeness(now, self.now[1]);
                let guide = likeness(guide, self.guide[1]);
                let rows = now.chunks_exact(pairs).zip(guide.chunks_exact(pairs));
                let rows = rows.zip(block * ROWS..);
                rows.map(|((now, guide), own)| nearest(now, guide, own))
                    .collect::<Vec<_>>()
            });
        blocks.collect::<Vec<_>>().concat()
    }

    /// Every pair in one batch of about `size`.
    pub fn batches(&self, size: usize, rng: &mut Rng) -> Vec<Vec<u32>> {
        let nearest = self.nearest();
        let mut order: Vec<u32> = (0..nearest.len() as u32).collect();
        rng.shuffle(&mut order);
        let mut is_taken = vec![false; nearest.len()];
        let mut all = Vec::with_capacity(nearest.len());
        for drawn in order {
            if std::mem::replace(&mut is_taken[drawn as usize], true) {
                continue;
            }
            all.push(drawn);
            let mut near = nearest[drawn as usize].iter();
            if let Some(&near) = near.find(|&&near| !is_taken[near as usize]) {
                is_taken[near as usize] = true;
                all.push(near);
            }
        }
        let mut batches: Vec<Vec<u32>> = all.chunks(size).map(<[u32]>::to_vec).collect();
        // The last one may have too few to tell anything apart.
        if batches.len() > 1
            && let Some(last) = batches.pop_if(|last| last.len() < size / 2)
            && let Some(before) = batches.last_mut()
        {
            before.extend(last);
        }
        batches
    }
}

fn nearest(now: &[f32], guide: &[f32], own: usize) -> Vec<u32> {
    let limit = guide[own] - (1.0 - AS_RIGHT) * guide[own].abs();
    let mut kept: Vec<u32> = Vec::with_capacity(KEPT + 1);
    for (other, &likeness) in now.iter().enumerate() {
        let is_full = kept.len() == KEPT;
        if other == own
            || guide[other] >= limit
            || is_full && likeness <= now[kept[KEPT - 1] as usize]
        {
            continue;
        }
        let place = kept.partition_point(|&kept| now[kept as usize] >= likeness);
        kept.insert(place, other as u32);
        kept.truncate(KEPT);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(pairs: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::with_seed(seed);
        (0..pairs * 4).map(|_| rng.f32() - 0.5).collect()
    }

    #[test]
    fn every_pair_is_in_one_batch_and_stands_beside_a_hard_one() {
        let (queries, items) = (vectors(203, 1), vectors(203, 2));
        let compared = Compared {
            now: [&queries, &items],
            guide: [&queries, &items],
            width: 4,
        };
        let nearest = compared.nearest();
        assert_eq!(nearest.len(), 203);
        let likeness = |a: usize, b: usize| -> f32 {
            let pairs = queries[a * 4..][..4].iter().zip(&items[b * 4..][..4]);
            pairs.map(|(x, y)| x * y).sum()
        };
        for (own, near) in nearest.iter().enumerate() {
            let limit = likeness(own, own) - 0.05 * likeness(own, own).abs();
            let mut wrong: Vec<u32> = (0..203_u32)
                .filter(|&b| b as usize != own && likeness(own, b as usize) < limit)
                .collect();
            wrong.sort_by(|&a, &b| likeness(own, b as usize).total_cmp(&likeness(own, a as usize)));
            wrong.truncate(KEPT);
            assert_eq!(near, &wrong, "pair {own}");
        }
        let batches = compared.batches(32, &mut Rng::with_seed(3));
        assert!(batches.iter().all(|batch| batch.len() >= 16));
        let mut all: Vec<u32> = batches.concat();
        let beside = all
            .windows(2)
            .filter(|pair| nearest[pair[0] as usize].contains(&pair[1]))
            .count();
        assert!(beside > 60, "{beside} hard negatives");
        all.sort_unstable();
        assert_eq!(all, (0..203).collect::<Vec<u32>>());
    }
}
