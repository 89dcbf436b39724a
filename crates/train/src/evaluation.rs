//! What a trained model says about cases it has not seen, case by case.

use crate::data::Dataset;
use crate::options::Options;
use crate::run::Trained;
use crate::trainer::Trainer;
use crate::validation::{Validation, ValidationReport, report};

/// Answers and what happened.
#[derive(Clone, Debug)]
pub struct Evaluation {
    pub report: ValidationReport,
    /// The action that is told apart: place among view, cart, purchase.
    pub action: usize,
    /// The place of what came next among all items, for each case where it is one of the first 10.
    pub ranks: Vec<Option<usize>>,
    /// For each case the calibrated probability of the action for what came next, then for the
    /// item that was drawn.
    pub probabilities: Vec<f64>,
    /// Whether it was done.
    pub labels: Vec<bool>,
}

impl Trained {
    /// Measures the model as it will be used, calibrated.
    pub fn evaluate(&self, data: &Dataset, validation: &Validation) -> Evaluation {
        let options = Options::default();
        let config = self.weights.config();
        let trainer = Trainer::of(&self.weights, data, &options);
        let outcomes = trainer.outcomes(validation);
        let ranks = trainer.ranks(validation);
        let action = crate::validation::told_action(&outcomes);
        let calibration = config.calibration[action];
        let probability = |logit: f32| {
            let logit = f64::from(calibration.scale * logit + calibration.offset);
            1.0 / (1.0 + (-logit).exp())
        };
        let probabilities: Vec<f64> = outcomes
            .iter()
            .map(|outcome| probability(outcome.logits[action]))
            .collect();
        let labels: Vec<bool> = outcomes
            .iter()
            .map(|outcome| outcome.done[action])
            .collect();
        Evaluation {
            report: report(&probabilities, &labels, &ranks),
            action,
            ranks,
            probabilities,
            labels,
        }
    }
}
