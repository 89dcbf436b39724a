//! How well recommendations meet what happened next.
//!
//! A case is one ranking and the items that were really taken. Recall, nDCG, hits and
//! precision are means over cases; coverage, novelty and diversity say what the lists are
//! like whether or not they hit. Cases can be told apart by how much the shopper had done.

use crate::bootstrap::{Difference, paired_bootstrap};
use crate::metrics::{coverage, diversity, ndcg, novelty, recall};
use serde::Serialize;

/// How much a shopper had done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shopper {
    /// Nothing.
    Cold,
    /// One to five events.
    Few,
    /// More.
    More,
}

impl Shopper {
    /// Every group, with the word for it.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Cold, "cold"),
        (Self::Few, "1-5"),
        (Self::More, "more"),
    ];

    /// The group of a shopper with so many events.
    pub fn of(events: usize) -> Self {
        match events {
            0 => Self::Cold,
            1..=5 => Self::Few,
            _ => Self::More,
        }
    }
}

/// One ranking beside what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommended {
    pub shopper: Shopper,
    /// The first places, the best first.
    pub ranked: Vec<u32>,
    /// The items that were taken, each once.
    pub taken: Vec<u32>,
}

/// What one case came to, over its first so many places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaseFigures {
    pub recall: f64,
    pub ndcg: f64,
    pub precision: f64,
    /// 1 when at least one item was hit.
    pub hit: f64,
}

impl Recommended {
    /// The figures over the first `k` places. `None` when nothing was taken.
    pub fn figures(&self, k: usize) -> Option<CaseFigures> {
        let hits: Vec<bool> = self
            .ranked
            .iter()
            .map(|item| self.taken.contains(item))
            .collect();
        let gains: Vec<f64> = hits.iter().map(|&hit| f64::from(u8::from(hit))).collect();
        let found = hits.iter().take(k).filter(|&&hit| hit).count();
        Some(CaseFigures {
            recall: recall(&hits, self.taken.len(), k)?,
            ndcg: ndcg(&gains, &vec![1.0; self.taken.len()], k)?,
            // Places that were left empty are misses: fewer items are not better ones.
            precision: found as f64 / k as f64,
            hit: f64::from(u8::from(found > 0)),
        })
    }
}

/// The means of many cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecommendationReport {
    pub cases: usize,
    #[serde(rename = "recall@10")]
    pub recall_10: f64,
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    #[serde(rename = "hit_rate@10")]
    pub hit_rate_10: f64,
    #[serde(rename = "precision@10")]
    pub precision_10: f64,
    /// The share of the catalogue that stands in at least one list.
    #[serde(rename = "coverage@10")]
    pub coverage_10: f64,
    /// Mean -log2 of the share of events that an item has.
    #[serde(rename = "novelty@10")]
    pub novelty_10: f64,
    /// Mean distance of the pairs of a list.
    #[serde(rename = "diversity@10")]
    pub diversity_10: f64,
    /// Mean places that were filled.
    pub filled: f64,
}

/// What is known of the items that are ranked.
pub struct Ranked<'a> {
    /// The share of all events that each item has.
    pub popularity: &'a [f64],
    /// From 0, the same, to 1, nothing in common.
    pub distance: &'a (dyn Fn(u32, u32) -> f64 + 'a),
}

/// Places that are looked at.
const DEPTH: usize = 10;

impl RecommendationReport {
    /// The means of the cases in which something was taken.
    pub fn of<'c>(cases: impl IntoIterator<Item = &'c Recommended>, items: &Ranked<'_>) -> Self {
        let mut report = Self::default();
        let (mut lists, mut novelties, mut distances) = (Vec::new(), Vec::new(), Vec::new());
        let smallest = items
            .popularity
            .iter()
            .copied()
            .filter(|share| *share > 0.0);
        let smallest = smallest.fold(1.0, f64::min);
        for case in cases {
            let Some(figures) = case.figures(DEPTH) else {
                continue;
            };
            report.cases += 1;
            report.recall_10 += figures.recall;
            report.ndcg_10 += figures.ndcg;
            report.hit_rate_10 += figures.hit;
            report.precision_10 += figures.precision;
            let list = &case.ranked[..case.ranked.len().min(DEPTH)];
            report.filled += list.len() as f64;
            lists.push(list);
            let shares: Vec<f64> = list.iter().map(|&item| items.share(item)).collect();
            novelties.extend(novelty(&shares, smallest));
            distances.extend(diversity(&items.pairs(list)));
        }
        let cases = report.cases.max(1) as f64;
        for sum in [
            &mut report.recall_10,
            &mut report.ndcg_10,
            &mut report.hit_rate_10,
            &mut report.precision_10,
            &mut report.filled,
        ] {
            *sum /= cases;
        }
        report.coverage_10 = coverage(lists, items.popularity.len());
        report.novelty_10 = mean(&novelties);
        report.diversity_10 = mean(&distances);
        report
    }
}

impl Ranked<'_> {
    fn share(&self, item: u32) -> f64 {
        self.popularity.get(item as usize).copied().unwrap_or(0.0)
    }

    fn pairs(&self, list: &[u32]) -> Vec<f64> {
        let mut pairs = Vec::new();
        for (place, &one) in list.iter().enumerate() {
            pairs.extend(
                list[..place]
                    .iter()
                    .map(|&other| (self.distance)(one, other)),
            );
        }
        pairs
    }
}

/// Two rankings of the same cases beside one another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RecommendationDifference {
    #[serde(rename = "recall@10")]
    pub recall_10: Difference,
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: Difference,
    /// The mean of the first over that of the second.
    #[serde(rename = "recall@10_times")]
    pub recall_times: f64,
    #[serde(rename = "ndcg@10_times")]
    pub ndcg_times: f64,
}

impl RecommendationDifference {
    /// First minus second, by the paired bootstrap. `None` without cases. Panics when the two
    /// have different numbers of cases.
    pub fn of(
        first: &[Recommended],
        second: &[Recommended],
        resamples: usize,
        seed: u64,
    ) -> Option<Self> {
        let figures = |cases: &[Recommended]| -> Vec<CaseFigures> {
            cases
                .iter()
                .filter_map(|case| case.figures(DEPTH))
                .collect()
        };
        let (first, second) = (figures(first), figures(second));
        let column = |cases: &[CaseFigures], of: fn(&CaseFigures) -> f64| -> Vec<f64> {
            cases.iter().map(of).collect()
        };
        let compare = |of: fn(&CaseFigures) -> f64| {
            let (first, second) = (column(&first, of), column(&second, of));
            let difference = paired_bootstrap(&first, &second, resamples, seed)?;
            Some((
                difference,
                mean(&first) / mean(&second).max(f64::MIN_POSITIVE),
            ))
        };
        let (recall_10, recall_times) = compare(|case| case.recall)?;
        let (ndcg_10, ndcg_times) = compare(|case| case.ndcg)?;
        Some(Self {
            recall_10,
            ndcg_10,
            recall_times,
            ndcg_times,
        })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(ranked: &[u32], taken: &[u32]) -> Recommended {
        Recommended {
            shopper: Shopper::More,
            ranked: ranked.to_vec(),
            taken: taken.to_vec(),
        }
    }

    #[test]
    fn the_figures_of_a_case() {
        let found = case(&[7, 1, 9, 2], &[1, 2, 3, 4]).figures(3).unwrap();
        assert_eq!((found.recall, found.hit), (0.25, 1.0));
        assert!((found.precision - 1.0 / 3.0).abs() < 1e-12);
        // A hit at the second place, against hits at all three.
        let best = 1.0 + 1.0 / 3_f64.log2() + 0.5;
        assert!((found.ndcg - (1.0 / 3_f64.log2()) / best).abs() < 1e-12);
        assert_eq!(case(&[1], &[]).figures(3), None);
        let empty = case(&[], &[1]).figures(3).unwrap();
        assert_eq!(
            (empty.recall, empty.ndcg, empty.precision, empty.hit),
            (0.0, 0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn the_report_counts_lists_as_well() {
        let cases = [case(&[0, 1], &[1]), case(&[0, 2], &[9]), case(&[3], &[])];
        let items = Ranked {
            popularity: &[0.5, 0.25, 0.0, 0.25],
            distance: &|one, other| f64::from(one.abs_diff(other)) / 4.0,
        };
        let report = RecommendationReport::of(&cases, &items);
        assert_eq!(
            (report.cases, report.recall_10, report.filled),
            (2, 0.5, 2.0)
        );
        // Items 0, 1 and 2 of four.
        assert_eq!(report.coverage_10, 0.75);
        // (1 + 2) / 2 bits and, with an unseen item as rare as the rarest, again (1 + 2) / 2.
        assert_eq!(report.novelty_10, 1.5);
        assert_eq!(report.diversity_10, (0.25 + 0.5) / 2.0);
    }

    #[test]
    fn a_better_ranking_is_told_from_chance() {
        let good: Vec<Recommended> = (0..50).map(|_| case(&[1, 5], &[1])).collect();
        let bad: Vec<Recommended> = (0..50).map(|n| case(&[5, 1 + n % 2], &[1])).collect();
        let found = RecommendationDifference::of(&good, &bad, 500, 1).unwrap();
        assert!(
            found.recall_10.low > 0.0 && found.ndcg_10.low > 0.0,
            "{found:?}"
        );
        assert_eq!(found.recall_times, 2.0);
        assert_eq!(RecommendationDifference::of(&[], &[], 500, 1), None);
    }
}
