//! How well items are found by what belongs to them, on pairs that were not trained on.

use super::pairs::PairKind;
use super::trainer::PairOfTexts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Queries of each kind at most, and for each of them items among which its own is looked for:
/// items cost the most, and few queries are not measured better by many.
const QUERIES: usize = 256;
const ITEMS_A_QUERY: usize = 4;

/// The pairs of one kind that are asked about.
#[derive(Clone, Debug, Default)]
struct Cases {
    pairs: Vec<PairOfTexts>,
    /// Texts of items, each once; those of the pairs are among them.
    pool: Vec<u32>,
}

/// Held-out pairs by kind.
#[derive(Clone, Debug)]
pub(super) struct HeldOut(BTreeMap<PairKind, Cases>);

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    pub cases: usize,
    /// Mean reciprocal rank of the own item.
    pub mrr: f64,
    /// How often it is among the first ten.
    #[serde(rename = "recall@10")]
    pub recall_10: f64,
    /// The mean reciprocal rank by kind.
    pub by_kind: BTreeMap<PairKind, f64>,
    /// One over the rank of each case.
    #[serde(skip)]
    pub reciprocal: Vec<f64>,
}

impl HeldOut {
    /// Chooses what is asked; `others` fill the pools where the held-out pairs are few.
    pub fn new(held_out: &[(PairKind, PairOfTexts)], others: &[(PairKind, PairOfTexts)]) -> Self {
        let mut kinds: BTreeMap<PairKind, Cases> = BTreeMap::new();
        for (kind, pair) in held_out {
            let cases = kinds.entry(*kind).or_default();
            if cases.pairs.len() < QUERIES {
                cases.pairs.push(*pair);
                if !cases.pool.contains(&pair.item) {
                    cases.pool.push(pair.item);
                }
            }
        }
        for (kind, pair) in held_out.iter().chain(others) {
            if let Some(cases) = kinds.get_mut(kind)
                && cases.pool.len() < ITEMS_A_QUERY * cases.pairs.len()
                && !cases.pool.contains(&pair.item)
            {
                cases.pool.push(pair.item);
            }
        }
        Self(kinds)
    }

    /// Asks all pairs; `vectors` answers the vectors of some texts, one behind the other.
    pub fn ask(&self, vectors: &dyn Fn(&[u32]) -> Vec<f32>) -> Retrieval {
        let mut found = Retrieval {
            cases: 0,
            mrr: 0.0,
            recall_10: 0.0,
            by_kind: BTreeMap::new(),
            reciprocal: Vec::new(),
        };
        let mut tens = 0;
        for (kind, cases) in &self.0 {
            let queries: Vec<u32> = cases.pairs.iter().map(|pair| pair.query).collect();
            let (queries, pool) = (vectors(&queries), vectors(&cases.pool));
            let width = pool.len() / cases.pool.len();
            let first = found.reciprocal.len();
            for (pair, query) in cases.pairs.iter().zip(queries.chunks_exact(width)) {
                let own = cases.pool.iter().position(|&text| text == pair.item);
                let rank = rank(query, pool.chunks_exact(width), own.unwrap_or_default());
                found.reciprocal.push(1.0 / rank as f64);
                tens += usize::from(rank <= 10);
            }
            let of_kind = &found.reciprocal[first..];
            found.by_kind.insert(*kind, mean(of_kind));
        }
        found.cases = found.reciprocal.len();
        found.mrr = mean(&found.reciprocal);
        found.recall_10 = tens as f64 / found.cases.max(1) as f64;
        found
    }
}

/// The place, from 1, of the item `own` by its likeness to a vector; behind equal ones.
pub(super) fn rank<'a>(
    vector: &[f32],
    items: impl Iterator<Item = &'a [f32]> + Clone,
    own: usize,
) -> usize {
    let likeness = |item: &[f32]| vector.iter().zip(item).map(|(x, y)| x * y).sum::<f32>();
    let of_own = items.clone().nth(own).map_or(f32::NEG_INFINITY, likeness);
    let others = items.enumerate().filter(|(at, _)| *at != own);
    1 + others.filter(|(_, item)| likeness(item) >= of_own).count()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_counted_from_one_and_behind_equals() {
        let items: [&[f32]; 4] = [&[1.0, 0.0], &[0.0, 1.0], &[0.6, 0.8], &[0.6, 0.8]];
        let query = [0.0, 1.0];
        let ranks: Vec<usize> = (0..4)
            .map(|own| rank(&query, items.iter().copied(), own))
            .collect();
        assert_eq!(ranks, [4, 1, 3, 3]);
    }

    #[test]
    fn pools_have_the_own_items_and_are_filled_with_others() {
        let pair = |query, item| PairOfTexts { query, item };
        let held_out = [
            (PairKind::Description, pair(0, 1)),
            (PairKind::Description, pair(2, 1)),
            (PairKind::Asked, pair(4, 5)),
        ];
        let others = [
            (PairKind::Description, pair(6, 7)),
            (PairKind::Together, pair(8, 9)),
        ];
        let asked = HeldOut::new(&held_out, &others);
        assert_eq!(asked.0[&PairKind::Description].pool, [1, 7]);
        assert_eq!(asked.0[&PairKind::Asked].pool, [5]);
        // Text 0 points where item 1 does, text 2 where item 7 does.
        let vectors = |texts: &[u32]| -> Vec<f32> {
            let rows = texts.iter().map(|text| match text {
                0 | 1 => [1.0, 0.0],
                _ => [0.0, 1.0],
            });
            rows.flatten().collect()
        };
        let found = asked.ask(&vectors);
        assert_eq!(found.reciprocal, [1.0, 0.5, 1.0]);
        assert_eq!(found.by_kind[&PairKind::Description], 0.75);
        assert_eq!((found.cases, found.recall_10), (3, 1.0));
    }
}
