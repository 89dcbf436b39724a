//! Two models' scores as one. They have no common measure, so each score becomes its distance
//! from the mean of its model's best scores, in standard deviations of these, and the two are
//! added by a share.

/// The best scores of a model, by which all of its scores are measured.
const BEST: usize = 200;

/// How the scores of an affinity model and of counted pairs become one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blend {
    affinity: Scale,
    counted: Scale,
}

/// `factor · score + offset`
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub factor: f64,
    pub offset: f64,
}

impl Blend {
    /// The blend for one history: the scores of all items, those that counting knows in any
    /// order, and the share of the affinity model, from 0 to 1. Where counting knows nothing
    /// the affinity model speaks alone.
    pub fn new(affinity: &[f32], counted: impl Iterator<Item = f32>, share: f64) -> Self {
        let counted: Vec<f32> = counted.collect();
        let share = if counted.is_empty() { 1.0 } else { share };
        Self {
            affinity: Scale::of(affinity.to_vec(), share),
            counted: Scale::of(counted, 1.0 - share),
        }
    }

    /// What is made of the affinity model's score.
    pub fn affinity(&self) -> Scale {
        self.affinity
    }

    /// What is made of the counted score, which is 0 for an item that counting does not know.
    pub fn counted(&self) -> Scale {
        self.counted
    }

    /// The score of an item.
    pub fn score(&self, affinity: f32, counted: f32) -> f64 {
        self.affinity.apply(affinity) + self.counted.apply(counted)
    }
}

impl Default for Scale {
    /// Leaves a score as it is.
    fn default() -> Self {
        Self {
            factor: 1.0,
            offset: 0.0,
        }
    }
}

impl Scale {
    /// Deviations from the mean of the best of these scores, times a share.
    fn of(mut scores: Vec<f32>, share: f64) -> Self {
        if scores.is_empty() {
            return Self {
                factor: 0.0,
                offset: 0.0,
            };
        }
        if scores.len() > BEST {
            scores.select_nth_unstable_by(BEST, |a, b| b.total_cmp(a));
            scores.truncate(BEST);
        }
        let count = scores.len() as f64;
        let mean = scores.iter().map(|&score| f64::from(score)).sum::<f64>() / count;
        let squares = scores
            .iter()
            .map(|&score| (f64::from(score) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        // One score, or several that are equal, have no deviation to measure by.
        let deviation = if deviation > 1e-9 { deviation } else { 1.0 };
        Self {
            factor: share / deviation,
            offset: -share * mean / deviation,
        }
    }

    /// The score on the common measure.
    pub fn apply(self, score: f32) -> f64 {
        self.factor * f64::from(score) + self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_is_measured_by_its_own_best() {
        let scale = Scale::of(vec![1.0, 3.0], 0.5);
        assert_eq!((scale.apply(1.0), scale.apply(3.0)), (-0.5, 0.5));
        let equal = Scale::of(vec![7.0, 7.0], 1.0);
        assert_eq!((equal.apply(7.0), equal.apply(8.0)), (0.0, 1.0));
        assert_eq!(Scale::of(Vec::new(), 0.5).apply(9.0), 0.0);

        let affinity: Vec<f32> = (0..1_000).map(|n| n as f32).collect();
        let alone = Blend::new(&affinity, std::iter::empty(), 0.5);
        // The mean of the best two hundred, 800 to 999.
        assert!(alone.affinity().apply(899.5).abs() < 1e-9);
        assert_eq!(alone.counted().apply(5.0), 0.0);
        let both = Blend::new(&affinity, [2.0, 1.0].into_iter(), 0.5);
        assert_eq!(both.counted().apply(2.0), 0.5);
        let counted = Blend::new(&affinity, [2.0, 1.0].into_iter(), 0.0);
        assert_eq!(counted.score(999.0, 2.0), 1.0);
    }
}
