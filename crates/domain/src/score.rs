//! A ranking score with a total order.
//!
//! Scores from different scorers meet in one sort, so a NaN from a broken
//! model must neither panic nor win a place.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Finite or `-inf`, so ordering is total and NaN cannot win a slot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(f32);

impl Score {
    /// The score below every finite one.
    pub const LOWEST: Self = Self(f32::NEG_INFINITY);

    /// Anything that is not finite becomes the lowest score.
    pub fn new(raw: f32) -> Self {
        // Adding 0.0 folds -0.0 into 0.0, which keeps `Eq` and `Ord` in agreement.
        Self(if raw.is_finite() {
            raw + 0.0
        } else {
            f32::NEG_INFINITY
        })
    }

    /// The number itself.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_sink() {
        assert_eq!(Score::new(f32::NAN), Score::LOWEST);
        assert_eq!(Score::new(f32::INFINITY), Score::LOWEST);
        assert_eq!(Score::new(-0.0), Score::new(0.0));
        assert!(Score::new(-1e30) > Score::new(f32::NAN));
    }
}
