//! Diversity: the best items, each also unlike those before it.
//!
//! This is maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998). With the score
//! moved to 0 … 1 over the best candidates, each place goes to the one with the largest
//!
//! ```text
//! (1 - d) · score - d · (how like the most alike item before it is)
//! ```
//!
//! That value only falls from place to place, so it can stand as the score, moved back to
//! the scale of the scores: what was taken away is the addend `diversity`.

use super::candidate::{Passed, range};
use super::likeness::Likeness;
use lexical::QueryError;

/// Candidates that change places, the best; those behind them keep their order.
pub(super) const BEST: usize = 200;

/// Gives the best candidates an order by score and by how unlike each other they are.
pub(super) fn diversify(
    passed: &mut Vec<Passed>,
    likeness: &Likeness<'_>,
    diversity: f64,
) -> Result<(), QueryError> {
    let best = passed.len().min(BEST);
    let Some((least, most)) = range(&passed[..best]) else {
        return Ok(());
    };
    let faces = likeness.faces(&passed[..best])?;
    let relevance: Vec<f64> = passed
        .iter()
        .map(|item| item.candidate.score - least)
        .collect();
    let scale = Scale {
        diversity,
        spread: most - least,
    };
    let order = order(&relevance[..best], scale, |one, other| {
        likeness.of(&faces[one], &faces[other])
    });
    let mut waiting: Vec<Option<Passed>> = std::mem::take(passed).into_iter().map(Some).collect();
    for (place, alike) in order {
        if let Some(mut item) = waiting[place].take() {
            item.candidate
                .add("diversity", scale.taken(relevance[place], alike));
            passed.push(item);
        }
    }
    for (mut item, relevance) in waiting
        .into_iter()
        .zip(relevance)
        .filter_map(|(item, score)| Some((item?, score)))
    {
        // As if they were all the same as something before, so that they stay behind.
        item.candidate.add("diversity", scale.taken(relevance, 1.0));
        passed.push(item);
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Scale {
    diversity: f64,
    /// From the least score to the largest.
    spread: f64,
}

impl Scale {
    /// What is taken from a score that is so far above the least one.
    fn taken(self, relevance: f64, alike: f64) -> f64 {
        -self.diversity * (relevance + alike * self.spread)
    }
}

/// The places in their new order, each with how like the most alike one before it is.
fn order(
    relevance: &[f64],
    scale: Scale,
    likeness: impl Fn(usize, usize) -> f64,
) -> Vec<(usize, f64)> {
    let mut left: Vec<(usize, f64)> = (0..relevance.len()).map(|place| (place, 0.0)).collect();
    let mut order = Vec::with_capacity(left.len());
    let value =
        |&(place, alike): &(usize, f64)| relevance[place] + scale.taken(relevance[place], alike);
    while let Some(first) = left.first() {
        let mut best = (0, value(first));
        for (at, candidate) in left.iter().enumerate().skip(1) {
            let value = value(candidate);
            if value > best.1 {
                best = (at, value);
            }
        }
        // Removed in place, so that equal ones keep the order of their scores.
        let chosen = left.remove(best.0);
        for (place, alike) in &mut left {
            *alike = alike.max(likeness(*place, chosen.0));
        }
        order.push(chosen);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_twin_of_the_best_makes_room() {
        // 0 and 1 are twins, 2 is like neither.
        let likeness = |one: usize, other: usize| f64::from(u8::from(one.max(other) == 1));
        let places = |diversity| -> Vec<usize> {
            let scale = Scale {
                diversity,
                spread: 1.0,
            };
            order(&[1.0, 0.9, 0.0], scale, likeness)
                .into_iter()
                .map(|(place, _)| place)
                .collect()
        };
        assert_eq!(places(0.0), [0, 1, 2]);
        assert_eq!(places(0.4), [0, 1, 2]);
        assert_eq!(places(0.5), [0, 2, 1]);
    }

    proptest! {
        #[test]
        fn the_new_scores_only_fall(
            mut relevance in vec(0.0..1.0_f64, 1..40),
            likeness in vec(0.0..1.0_f64, 1600),
            diversity in 0.0..=1.0_f64,
        ) {
            relevance.sort_by(|a, b| b.total_cmp(a));
            let scale = Scale { diversity, spread: 1.0 };
            let alike = |one: usize, other: usize| likeness[one.min(other) * 40 + one.max(other)];
            let order = order(&relevance, scale, alike);
            prop_assert_eq!(order.len(), relevance.len());
            let scores: Vec<f64> = order
                .iter()
                .map(|&(place, alike)| relevance[place] + scale.taken(relevance[place], alike))
                .collect();
            prop_assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        }
    }
}
