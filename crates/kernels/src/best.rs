//! The best few of many scores.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The places and scores of the `count` highest scores, the highest first; equal scores in the
/// order of their places. Scores that are not numbers are left out.
pub fn top_k(scores: &[f32], count: usize) -> Vec<(usize, f32)> {
    // The worst of the best is on top of the heap.
    let mut best = BinaryHeap::with_capacity(count.min(scores.len()) + 1);
    let mut bar = f32::NEG_INFINITY;
    for (place, &score) in scores.iter().enumerate() {
        if score.is_nan() || count == 0 || (best.len() == count && score <= bar) {
            continue;
        }
        best.push(Ranked { place, score });
        if best.len() > count {
            best.pop();
        }
        if best.len() == count {
            bar = best.peek().map_or(bar, |worst: &Ranked| worst.score);
        }
    }
    let sorted = best.into_sorted_vec().into_iter();
    sorted.map(|ranked| (ranked.place, ranked.score)).collect()
}

/// Less is better.
#[derive(Debug)]
struct Ranked {
    place: usize,
    score: f32,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then(self.place.cmp(&other.place))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn top_k_is_the_head_of_the_sorted_scores(
            scores in prop::collection::vec(-4i8..4, 0..60),
            count in 0usize..70,
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let mut sorted: Vec<(usize, f32)> = scores.iter().copied().enumerate().collect();
            sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            sorted.truncate(count);
            prop_assert_eq!(top_k(&scores, count), sorted);
        }
    }

    #[test]
    fn what_is_not_a_number_is_left_out() {
        let scores = [f32::NAN, 1.0, f32::NEG_INFINITY, f32::INFINITY, f32::NAN];
        let expected = vec![(3, f32::INFINITY), (1, 1.0), (2, f32::NEG_INFINITY)];
        assert_eq!(top_k(&scores, 5), expected);
    }
}
