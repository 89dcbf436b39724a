//! A whole run: epochs with their reports, checkpoints between them, weights at the end.

use crate::checkpoint::{self, Checkpoint};
use crate::data::{Dataset, Event};
use crate::error::TrainError;
use crate::likeness;
use crate::options::Options;
use crate::texts::Whitening;
use crate::trainer::Trainer;
use crate::validation::{Queries, Validation, ValidationReport};
use models::affinity::{AffinityConfig, AffinityWeights, FieldConfig};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// One epoch, as it is shown and kept in `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The first is 1.
    pub epoch: usize,
    /// Mean negative log likelihood of the next items.
    pub loss: f64,
    /// Mean binary cross-entropy of the actions.
    pub actions_loss: f64,
    pub seconds: f64,
    pub validation: Option<ValidationReport>,
}

/// Told how a run goes on.
pub trait Observer {
    /// `done` of `batches` of an epoch (the first is 1) are behind. Answers whether to go on.
    fn batch(&mut self, epoch: usize, done: usize, batches: usize) -> bool;
    fn epoch(&mut self, report: &EpochReport);
}

/// Sees nothing and lets the run go on.
pub struct Unobserved;

impl Observer for Unobserved {
    fn batch(&mut self, _: usize, _: usize, _: usize) -> bool {
        true
    }

    fn epoch(&mut self, _: &EpochReport) {}
}

/// What a run ends with.
#[derive(Debug)]
pub struct Trained {
    pub weights: AffinityWeights,
    pub epochs: Vec<EpochReport>,
    /// The output at the newest event of each history asked about, see [`Trained::top`].
    items: Vec<f32>,
}

/// A model that is being fitted to a dataset.
pub struct Run<'a> {
    pub data: &'a Dataset,
    pub options: &'a Options,
    /// Looked at after every epoch, and what the calibration is fitted on.
    pub validation: Option<&'a Validation>,
    /// Where the state is written after every epoch, and read from when it is there already.
    pub checkpoint: Option<&'a Path>,
}

impl Run<'_> {
    /// Trains to the end.
    ///
    /// # Errors
    /// When the data cannot teach anything, the observer ends the run, the checkpoint cannot be
    /// written or is of another run, or the loss is no number.
    pub fn train(&self, observer: &mut dyn Observer) -> Result<Trained, TrainError> {
        self.options.check()?;
        self.data.check()?;
        let whitening = Whitening::of(self.data);
        let config = config(self.data, self.options);
        let stretched = whitening.as_ref().map(|whitening| Dataset {
            texts: whitening.stretched(self.data),
            queries: whitening.stretched_queries(self.data),
            ..self.data.clone()
        });
        let data = stretched.as_ref().unwrap_or(self.data);
        let mut trainer =
            Trainer::new(&config, data, self.options).on(self.options.device, &config)?;
        if trainer.batches() == 0 {
            return Err(TrainError::TooLittle);
        }
        let identity = checkpoint::identity(&config, self.data, self.options);
        let mut epochs = self.resume(&mut trainer, identity)?;
        for epoch in epochs.len()..self.options.epochs {
            let started = Instant::now();
            let batches = trainer.batches();
            let mut told = |done: usize| observer.batch(epoch + 1, done + 1, batches);
            let loss = trainer.epoch(epoch, &mut told)?;
            if !loss.retrieval.is_finite() || !loss.actions.is_finite() {
                return Err(TrainError::Diverged { epoch: epoch + 1 });
            }
            let seconds = started.elapsed().as_secs_f64();
            let report = EpochReport {
                epoch: epoch + 1,
                loss: loss.retrieval,
                actions_loss: loss.actions,
                seconds,
                validation: self
                    .validation
                    .map(|validation| trainer.validate(validation)),
            };
            observer.epoch(&report);
            epochs.push(report);
            if let Some(path) = self.checkpoint {
                checkpoint::save(path, identity, &epochs, &trainer.parameters, &trainer.adam)?;
            }
        }
        self.finish(config, trainer, whitening.as_ref(), epochs)
    }

    /// Goes on where an earlier run of the same data and settings was ended.
    fn resume(
        &self,
        trainer: &mut Trainer<'_>,
        identity: u64,
    ) -> Result<Vec<EpochReport>, TrainError> {
        let Some(path) = self.checkpoint.filter(|path| path.exists()) else {
            return Ok(Vec::new());
        };
        let Checkpoint {
            epochs,
            parameters,
            adam,
        } = checkpoint::load(path, identity, trainer.parameters.len())?;
        trainer.parameters = parameters;
        trainer.adam = adam;
        Ok(epochs)
    }

    fn finish(
        &self,
        mut config: AffinityConfig,
        mut trainer: Trainer<'_>,
        whitening: Option<&Whitening>,
        epochs: Vec<EpochReport>,
    ) -> Result<Trained, TrainError> {
        if let Some(validation) = self.validation {
            config.calibration = trainer.calibrate(validation, Queries::Hidden);
            if config.queries {
                let asked = validation.asked();
                config.query_calibration = trainer.calibrate(&asked, Queries::Given);
            }
        }
        if let Some(whitening) = whitening {
            whitening.fold(&trainer.layout, trainer.width, &mut trainer.parameters);
        }
        let mut weights = AffinityWeights::new(config, trainer.parameters)?;
        if let Some(whitening) = whitening {
            weights = likeness::added(weights, whitening, self.data, self.validation)?;
        }
        Ok(Trained {
            items: Trainer::of(&weights, self.data, self.options).item_vectors(),
            weights,
            epochs,
        })
    }
}

impl Trained {
    /// The vectors of all items, `[items, width]`, as the model uses them.
    pub fn item_vectors(&self) -> &[f32] {
        &self.items
    }

    /// Calls `each` with the place of a history and the scores of all items for it, from
    /// several threads.
    pub fn scores(
        &self,
        data: &Dataset,
        histories: &[Vec<Event>],
        each: &(dyn Fn(usize, &[f32]) + Sync),
    ) {
        let options = Options::default();
        let trainer = Trainer::of(&self.weights, data, &options);
        trainer.scores(histories, each);
    }
}

/// Profiles are learned from windows that do not begin with the history: where there are fewer
/// than this share, hardly anything is learned of them.
const LATER_WINDOWS: f64 = 0.01;

/// Nor is of queries where they led to a smaller share of what may be asked about.
const ASKED: f64 = 0.01;

/// The usual sizes, for this dataset.
fn config(data: &Dataset, options: &Options) -> AffinityConfig {
    let field = |field: &crate::Field| FieldConfig {
        name: field.name.clone(),
        values: field.values,
    };
    let mut config = AffinityConfig::new(
        data.text_dimensions,
        data.items,
        data.fields.iter().map(field).collect(),
    );
    let windows = data.windows(config.max_history);
    let later = windows.iter().filter(|window| window.events.start > 0);
    config.profiles = data.text_dimensions > 0
        && later.count() as f64 >= LATER_WINDOWS * windows.len().max(1) as f64;
    config.queries = data.text_dimensions > 0 && options.asks > 0 && data.asked_share() >= ASKED;
    config
}
