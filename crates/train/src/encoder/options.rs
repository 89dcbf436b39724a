//! How an encoder is trained further. The defaults are those usual for contrastive training
//! of models of this size.

use crate::error::TrainError;
use crate::options::require;
use serde::{Deserialize, Serialize};

/// Settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncoderOptions {
    pub epochs: usize,
    pub seed: u64,
    /// Pairs of a batch.
    pub batch: usize,
    /// The highest learning rate.
    pub rate: f32,
    /// Share of all steps until it is reached.
    pub warm_up: f32,
    /// Weight decay of matrices.
    pub decay: f32,
    /// What likenesses are divided by: the lower, the more the nearest wrong ones count.
    pub temperature: f32,
    /// The length of the gradient at most.
    pub clip: f32,
    /// Most tokens of a text, the two special ones included.
    pub tokens: usize,
    pub words: Words,
}

/// What happens to the table of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Words {
    /// The words of a batch move with it.
    #[default]
    Trained,
    Frozen,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self {
            epochs: 1,
            seed: 1,
            batch: 64,
            rate: 2e-5,
            warm_up: 0.1,
            decay: 0.01,
            temperature: 0.05,
            clip: 1.0,
            tokens: 64,
            words: Words::Trained,
        }
    }
}

impl EncoderOptions {
    /// Refuses settings that cannot be trained with.
    ///
    /// # Errors
    /// Names the first such setting.
    pub fn check(&self) -> Result<(), TrainError> {
        let above = |name, value: f32| {
            let holds = value.is_finite() && value > 0.0;
            require(holds, name, "a number above 0", value.into())
        };
        let share = |name, value: f32| {
            let holds = (0.0..1.0).contains(&value);
            require(holds, name, "at least 0 and below 1", value.into())
        };
        require(self.epochs > 0, "epochs", "at least 1", self.epochs as f64)?;
        require(self.batch > 1, "batch", "at least 2", self.batch as f64)?;
        require(self.tokens > 2, "tokens", "at least 3", self.tokens as f64)?;
        above("rate", self.rate)?;
        above("temperature", self.temperature)?;
        above("clip", self.clip)?;
        share("warm_up", self.warm_up)?;
        share("decay", self.decay)
    }

    /// The rate of a step among all steps, the first being 0: it rises in a line, and falls in
    /// one to zero.
    pub(super) fn rate_at(&self, step: usize, steps: usize) -> f32 {
        let warm = ((steps as f32 * self.warm_up) as usize).max(1);
        if step < warm {
            return self.rate * (step + 1) as f32 / warm as f32;
        }
        self.rate * steps.saturating_sub(step) as f32 / steps.saturating_sub(warm).max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_in_lines() {
        let options = EncoderOptions {
            rate: 1.0,
            ..EncoderOptions::default()
        };
        let rates: Vec<f32> = (0..40).map(|step| options.rate_at(step, 40)).collect();
        assert_eq!(rates[..5], [0.25, 0.5, 0.75, 1.0, 1.0]);
        assert!(rates[4..].is_sorted_by(|a, b| a > b));
        assert!(rates[39] > 0.0 && rates[39] < 0.03);
        assert_eq!(options.rate_at(0, 1), 1.0);
    }

    #[test]
    fn settings_without_sense_are_refused() {
        let refused = |change: fn(&mut EncoderOptions)| {
            let mut options = EncoderOptions::default();
            change(&mut options);
            options.check().is_err()
        };
        assert!(EncoderOptions::default().check().is_ok());
        assert!(refused(|options| options.epochs = 0));
        assert!(refused(|options| options.batch = 1));
        assert!(refused(|options| options.rate = f32::NAN));
        assert!(refused(|options| options.temperature = 0.0));
        assert!(refused(|options| options.warm_up = 1.0));
    }
}
