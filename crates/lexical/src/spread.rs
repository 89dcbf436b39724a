//! How far apart the scores of one source lie, so that two sources can be added up.
//!
//! A score says little by itself. For `lamp` the words give three hundred lamps nearly the same
//! score, for a model number one item a high one and the others next to nothing; similarities
//! have yet another spread. What counts is how far a document is behind the best one, measured
//! by how far the fiftieth is. Scores are brought to a common scale by their extremes, as in
//! Lee, "Analyses of Multiple Evidence Combination" (1997), but for the lower end, which a long
//! tail does not move, and beyond which scores go on falling.

/// The place whose distance from the best is the unit: about as deep as anybody looks.
pub(crate) const DEPTH: usize = 50;
/// A smaller share of the best score is no distance: then all are alike.
const LEAST: f32 = 1e-3;

/// From the scores of one source to what they are worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    best: f32,
    /// From the best score to that at [`DEPTH`].
    step: f32,
    /// What a score of 0 would have.
    none: f32,
}

impl Spread {
    /// Of scores from 0 to 1. Those that are missing from a full list count as 0.
    pub fn of(scores: impl Iterator<Item = f32>) -> Self {
        let mut scores: Vec<f32> = scores.collect();
        let best = scores.iter().copied().fold(0.0, f32::max);
        let last = match scores.len() {
            0..DEPTH => 0.0,
            _ => {
                *scores
                    .select_nth_unstable_by(DEPTH - 1, |a, b| b.total_cmp(a))
                    .1
            }
        };
        let step = (best - last).max(best * LEAST);
        let none = match best > 0.0 {
            true => fallen(best / step),
            false => 1.0,
        };
        Self { best, step, none }
    }

    /// A half one step behind the best, a third two steps behind it, and nothing for a score of 0.
    pub fn worth(&self, score: f32) -> f32 {
        if score <= 0.0 || self.best <= 0.0 {
            return 0.0;
        }
        let behind = (self.best - score).max(0.0) / self.step;
        (fallen(behind) - self.none).max(0.0)
    }

    /// What the best score is worth; 0 when there is none.
    pub fn most(&self) -> f32 {
        1.0 - self.none
    }
}

/// What is left so many steps behind the best.
fn fallen(steps: f32) -> f32 {
    1.0 / (1.0 + steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_score_is_worth_falls_with_its_distance_from_the_best() {
        // As many scores again behind the fiftieth, at a distance that does not matter.
        let near = (0..50).map(|place| 1.0 - place as f32 / 490.0);
        let spread = Spread::of(near.chain(std::iter::repeat_n(0.01, 50)));
        let close = |a: f32, b: f32| (a - b - 1.0 / 11.0).abs() < 1e-4;
        for (score, expected) in [(1.0, 1.0), (0.9, 0.5), (0.8, 1.0 / 3.0)] {
            assert!(close(expected, spread.worth(score)), "{score}");
        }
        assert_eq!(spread.worth(0.0), 0.0);
        assert!(spread.worth(0.02) > spread.worth(0.01));
    }

    #[test]
    fn few_scores_are_measured_from_nothing() {
        let spread = Spread::of([0.8, 0.4, 0.2].into_iter());
        assert_eq!(spread.most(), 0.5);
        assert_eq!(spread.worth(0.8), 0.5);
        assert!((spread.worth(0.4) - 1.0 / 6.0).abs() < 1e-6);
    }

    #[test]
    fn equal_scores_and_none_at_all_are_no_trouble() {
        let equal = Spread::of(std::iter::repeat_n(0.7, 200));
        assert_eq!(equal.worth(0.7), equal.most());
        assert!(equal.most() > 0.99);
        for scores in [vec![], vec![0.0; 80]] {
            let nothing = Spread::of(scores.into_iter());
            assert_eq!((nothing.worth(0.0), nothing.most()), (0.0, 0.0));
        }
    }
}
