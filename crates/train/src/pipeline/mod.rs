//! From a shop's plain data to the folder of a trained model: clean, cut by time, train,
//! measure beside simpler models, draw, write. It knows no engine and no clock; what it is
//! given decides everything it answers but the seconds.

mod baselines;
mod blend;
mod card;
mod clean;
mod curves;
mod figures;
mod folder;
mod input;
mod logistic;
mod map;
mod pairs;
mod plots;
mod report;
mod split;
mod texts;

#[cfg(test)]
mod tests;

pub use baselines::{Baseline, Ranking};
pub use blend::Blended;
pub use clean::Cleaning;
pub use curves::{Bin, ByHistory, Threshold};
pub use input::{Action, Input, Item};
pub use pairs::{ItemTexts, ShopTexts, text_pairs};
pub use report::{AskedSlices, Logistic, Report};
pub use split::{Counts, Dates};

use crate::device::Device;
use crate::error::TrainError;
use crate::evaluation::Evaluation;
use crate::options::Options;
use crate::run::{Observer, Run, Trained};
use logistic::Counted;
use models::affinity::{ACTIONS, AffinityWeights, Fields};
use serde::{Deserialize, Serialize};
use split::Slices;
use std::path::Path;

/// Batches of an epoch at least, as far as batches can be made smaller.
const BATCHES: usize = 32;

/// Epochs of a run, unless told otherwise.
pub const DEFAULT_EPOCHS: usize = 24;

/// What someone who trains may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub epochs: usize,
    pub seed: u64,
    #[serde(default)]
    pub device: Device,
}

/// Data that are ready to be trained on.
#[derive(Debug)]
pub struct Prepared {
    slices: Slices,
    options: Options,
    /// The ids of items in the order of rows.
    items: Vec<String>,
}

/// A trained model, measured, with everything its folder says about it.
#[derive(Debug)]
pub struct Model {
    pub weights: AffinityWeights,
    pub items: Vec<String>,
    pub fields: Fields,
    pub report: Report,
    /// `[items, width]`
    vectors: Vec<f32>,
}

impl Prepared {
    /// Cleans the data and cuts them by time.
    ///
    /// # Errors
    /// When the settings are wrong, or nothing can be learned or measured.
    pub fn new(input: &Input, settings: Settings) -> Result<Self, TrainError> {
        let slices = Slices::new(input, settings.seed)?;
        let options = options(&slices, settings);
        options.check()?;
        let id = |&item: &u32| input.items[item as usize].id.clone();
        Ok(Self {
            items: slices.rows.iter().map(id).collect(),
            slices,
            options,
        })
    }

    /// What there is, and what was left out.
    pub fn counts(&self) -> &Counts {
        &self.slices.counts
    }

    /// Trains and measures. The state is kept at `checkpoint` after every epoch; a state that
    /// is there already is gone on from. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// When the observer ends the run, the loss is no number, or the checkpoint cannot be
    /// written or is of another run.
    pub fn train(
        self,
        checkpoint: Option<&Path>,
        now: i64,
        observer: &mut dyn Observer,
    ) -> Result<Model, TrainError> {
        let slices = &self.slices;
        let run = Run {
            data: &slices.data,
            options: &self.options,
            validation: Some(&slices.validation),
            checkpoint,
        };
        let trained = run.train(observer)?;
        let report = self.measure(&trained, now)?;
        Ok(Model {
            report,
            vectors: trained.item_vectors().to_vec(),
            weights: trained.weights,
            items: self.items,
            fields: self.slices.fields,
        })
    }

    fn measure(&self, trained: &Trained, now: i64) -> Result<Report, TrainError> {
        let slices = &self.slices;
        let validation = trained.evaluate(&slices.data, &slices.validation);
        let Evaluation {
            report: test,
            action,
            ranks,
            probabilities,
            labels,
            asked,
        } = trained.evaluate(&slices.data, &slices.test);
        let reliability = curves::reliability(&probabilities, &labels);
        Ok(Report {
            model: "affinity".to_owned(),
            created: now,
            action: ACTIONS[action].to_owned(),
            repeats: slices.test.repeats,
            asked: validation
                .asked
                .zip(asked)
                .map(|(validation, test)| AskedSlices { validation, test }),
            validation: validation.report,
            test,
            ece: curves::expected_calibration_error(&reliability),
            baselines: baselines::baselines(&slices.data, &slices.validation, &slices.test)?,
            blend: Some(blend::blended(
                &slices.data,
                trained,
                &slices.validation,
                &slices.test,
            )?),
            logistic: self.regression(action),
            epochs: trained.epochs.clone(),
            by_history: curves::by_history(&slices.test.cases, &ranks),
            thresholds: curves::thresholds(&probabilities, &labels),
            reliability,
            counts: slices.counts.clone(),
            dates: slices.dates,
            settings: self.options.clone(),
        })
    }

    /// The logistic regression on the same questions, `None` where it has nothing to learn.
    fn regression(&self, action: usize) -> Option<Logistic> {
        let slices = &self.slices;
        let before = Counted::new(&slices.data, &slices.before_practice);
        let model = before.fit(&slices.practice, action)?;
        let counted = Counted::new(&slices.data, &slices.data.histories);
        Some(Logistic {
            validation: counted.measure(&model, &slices.validation, action)?,
            test: counted.measure(&model, &slices.test, action)?,
        })
    }
}

impl Model {
    /// Writes the folder, which is made where it is missing. The settings come last: a folder
    /// that was left half written has none and is refused by whoever reads it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, to: &Path) -> Result<(), TrainError> {
        folder::write(self, to)
    }
}

/// The defaults, fitted to the size of the data.
fn options(slices: &Slices, settings: Settings) -> Options {
    let defaults = Options::default();
    let windows: usize = slices
        .data
        .histories
        .iter()
        .map(|events| events.len().div_ceil(50))
        .sum();
    let batch = (windows / BATCHES).clamp(4, defaults.batch);
    let steps = windows.div_ceil(batch) * settings.epochs;
    Options {
        epochs: settings.epochs,
        seed: settings.seed,
        device: settings.device,
        batch,
        warm_up: defaults.warm_up.min(steps as u32 / 10),
        id_dropout: 0.1,
        asks: 16,
        actions_weight: 3.0,
        ..defaults
    }
}
