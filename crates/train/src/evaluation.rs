//! What a trained model says about cases it has not seen, case by case.

use crate::data::Dataset;
use crate::options::Options;
use crate::run::Trained;
use crate::trainer::Trainer;
use crate::validation::{
    Outcome, Queries, Telling, Validation, ValidationReport, report, told_action,
};
use models::affinity::Calibration;
use serde::{Deserialize, Serialize};

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
    /// Of the cases that a query led to; none where there is none, or the model has no queries.
    pub asked: Option<Asked>,
}

/// How well an action was told where a query had led to what came next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub cases: usize,
    /// With the query.
    #[serde(flatten)]
    pub with: Telling,
    /// The same cases without it.
    pub without: Telling,
}

impl Trained {
    /// Measures the model as it will be used, calibrated.
    pub fn evaluate(&self, data: &Dataset, validation: &Validation) -> Evaluation {
        let options = Options::default();
        let trainer = Trainer::of(&self.weights, data, &options);
        let outcomes = trainer.outcomes(validation, Queries::Hidden);
        let action = told_action(&outcomes);
        let answers = self.answers(&outcomes, Queries::Hidden, action);
        let ranks = trainer.ranks(validation);
        Evaluation {
            report: report(&answers.probabilities, &answers.labels, &ranks),
            action,
            ranks,
            asked: self.asked(&trainer, validation, action),
            probabilities: answers.probabilities,
            labels: answers.labels,
        }
    }

    fn asked(
        &self,
        trainer: &Trainer<'_>,
        validation: &Validation,
        action: usize,
    ) -> Option<Asked> {
        let asked = validation.asked();
        if asked.cases.is_empty() || !self.weights.config().queries {
            return None;
        }
        let told = |queries| {
            let outcomes = trainer.outcomes(&asked, queries);
            self.answers(&outcomes, queries, action).telling()
        };
        Some(Asked {
            cases: asked.cases.len(),
            with: told(Queries::Given)?,
            without: told(Queries::Hidden)?,
        })
    }

    fn answers(&self, outcomes: &[Outcome], queries: Queries, action: usize) -> Answers {
        let config = self.weights.config();
        let calibration = config.calibration(queries == Queries::Given);
        let Calibration { scale, offset } = calibration[action];
        let probability = |outcome: &Outcome| {
            let logit = f64::from(scale * outcome.logits[action] + offset);
            1.0 / (1.0 + (-logit).exp())
        };
        Answers {
            probabilities: outcomes.iter().map(probability).collect(),
            labels: outcomes
                .iter()
                .map(|outcome| outcome.done[action])
                .collect(),
        }
    }
}

/// Calibrated probabilities of an action, and whether it was done.
struct Answers {
    probabilities: Vec<f64>,
    labels: Vec<bool>,
}

impl Answers {
    fn telling(&self) -> Option<Telling> {
        Some(Telling {
            bce: eval::log_loss(&self.probabilities, &self.labels)?,
            auc: eval::auc(&self.probabilities, &self.labels)?,
        })
    }
}
