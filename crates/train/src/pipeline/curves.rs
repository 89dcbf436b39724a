//! Curves over answers: how far probabilities can be believed, what a threshold costs, and
//! how the quality depends on the length of a history.

use super::baselines::{Ranking, ranking};
use crate::validation::Case;
use serde::{Deserialize, Serialize};

/// Bins of the reliability curve.
const BINS: usize = 10;
/// Points of a curve over thresholds.
const POINTS: usize = 100;
/// Where one group of histories ends and the next begins.
const LENGTHS: [usize; 6] = [1, 3, 6, 11, 21, 51];

/// Answers of one stretch of probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean of the probabilities.
    pub predicted: f64,
    /// Share of those that happened.
    pub happened: f64,
    pub count: usize,
}

/// What one threshold does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    pub false_positive_rate: f64,
    /// The same as recall.
    pub true_positive_rate: f64,
    pub precision: f64,
}

/// Cases with histories of like length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByHistory {
    /// Such as `3-5`.
    pub events: String,
    #[serde(flatten)]
    pub ranking: Ranking,
    pub cases: usize,
}

/// The answers in bins of one tenth each, without empty ones.
pub(crate) fn reliability(probabilities: &[f64], labels: &[bool]) -> Vec<Bin> {
    let mut bins = [(0.0, 0_usize, 0_usize); BINS];
    for (&probability, &label) in probabilities.iter().zip(labels) {
        let at = ((probability * BINS as f64) as usize).min(BINS - 1);
        bins[at].0 += probability;
        bins[at].1 += usize::from(label);
        bins[at].2 += 1;
    }
    bins.iter()
        .filter(|bin| bin.2 > 0)
        .map(|&(sum, happened, count)| Bin {
            predicted: sum / count as f64,
            happened: happened as f64 / count as f64,
            count,
        })
        .collect()
}

/// The mean distance between what was predicted and what happened (Naeini et al. 2015).
pub(crate) fn expected_calibration_error(bins: &[Bin]) -> f64 {
    let count: usize = bins.iter().map(|bin| bin.count).sum();
    let error = |bin: &Bin| (bin.predicted - bin.happened).abs() * bin.count as f64;
    bins.iter().map(error).sum::<f64>() / count.max(1) as f64
}

/// What thresholds do, from the highest to the lowest; empty where nothing can be told apart.
pub(crate) fn thresholds(probabilities: &[f64], labels: &[bool]) -> Vec<Threshold> {
    let positives = labels.iter().filter(|&&label| label).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_unstable_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let step = order.len().div_ceil(POINTS);
    let (mut hits, mut misses, mut next) = (0, 0, 0);
    let mut points = Vec::new();
    // Equal probabilities lie on the same side of any threshold.
    for tie in order.chunk_by(|&a, &b| probabilities[a] == probabilities[b]) {
        for &at in tie {
            hits += usize::from(labels[at]);
            misses += usize::from(!labels[at]);
        }
        let taken = hits + misses;
        if taken >= next || taken == order.len() {
            next = taken + step;
            points.push(Threshold {
                false_positive_rate: misses as f64 / negatives as f64,
                true_positive_rate: hits as f64 / positives as f64,
                precision: hits as f64 / taken as f64,
            });
        }
    }
    points
}

/// The ranking in groups of like histories, without empty ones.
pub(crate) fn by_history(cases: &[Case], ranks: &[Option<usize>]) -> Vec<ByHistory> {
    let group = |at: usize| {
        let (start, end) = (LENGTHS[at], LENGTHS.get(at + 1).copied());
        let is_in = |case: &Case| {
            let len = case.history.len();
            len >= start && end.is_none_or(|end| len < end)
        };
        let ranks: Vec<Option<usize>> = cases
            .iter()
            .zip(ranks)
            .filter(|(case, _)| is_in(case))
            .map(|(_, &rank)| rank)
            .collect();
        ByHistory {
            events: end.map_or(format!("{start}+"), |end| format!("{start}-{}", end - 1)),
            ranking: ranking(&ranks),
            cases: ranks.len(),
        }
    };
    let groups = (0..LENGTHS.len()).map(group);
    groups.filter(|group| group.cases > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_tell_how_far_probabilities_are_from_what_happened() {
        let bins = reliability(
            &[0.05, 0.05, 0.95, 0.95, 1.0],
            &[false, true, true, true, true],
        );
        assert_eq!(bins.len(), 2);
        assert_eq!((bins[0].happened, bins[0].count), (0.5, 2));
        let expected = (0.45 * 2.0 + (1.0 - 2.9 / 3.0) * 3.0) / 5.0;
        assert!((expected_calibration_error(&bins) - expected).abs() < 1e-9);
        assert_eq!(expected_calibration_error(&[]), 0.0);
    }

    #[test]
    fn thresholds_go_from_none_to_all() {
        let points = thresholds(&[0.9, 0.8, 0.8, 0.1], &[true, true, false, false]);
        assert_eq!(
            (points[0].true_positive_rate, points[0].precision),
            (0.5, 1.0)
        );
        assert_eq!(
            (points[1].true_positive_rate, points[1].false_positive_rate),
            (1.0, 0.5)
        );
        let last = points
            .last()
            .copied()
            .map(|point| point.false_positive_rate);
        assert_eq!(last, Some(1.0));
        assert!(thresholds(&[0.5, 0.4], &[true, true]).is_empty());
    }
}
