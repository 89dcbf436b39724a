//! A whole run: measure, train, mix with the model as it was, and see whether it is better.

use super::checkpoint::{self, Progress};
use super::general::{Ability, General};
use super::measure::{HeldOut, Retrieval};
use super::neighbours::Compared;
use super::options::EncoderOptions;
use super::pairs::{PairKind, Slices, TextPair};
use super::trainer::{PairOfTexts, Trainer};
use crate::adam::Adam;
use crate::error::TrainError;
use encode::Parts;
use eval::{Difference, paired_bootstrap};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Fewer pairs than this are not worth a training.
const FEWEST_PAIRS: usize = 200;
/// Shares of the trained model that are tried in the mixture, the largest first.
const MIXTURES: [f32; 4] = [1.0, 0.75, 0.5, 0.25];
/// How often the state is kept within an epoch: writing it takes a second or two.
const EVERY: Duration = Duration::from_secs(60);
/// Samples of the bootstrap.
const RESAMPLES: usize = 10_000;

/// One epoch, as it is shown and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderEpoch {
    /// The first is 1.
    pub epoch: usize,
    /// Mean contrast of a pair.
    pub loss: f64,
    pub validation: Retrieval,
    pub general: Ability,
    /// Of training alone.
    pub seconds: f64,
    /// Tokens there and back in a second.
    pub tokens_per_second: f64,
}

/// One mixture of the trained model and the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// How much of it is the trained model.
    pub share: f32,
    pub validation: Retrieval,
    pub general: Ability,
    /// Whether what it had learnt before is still there.
    pub keeps_ability: bool,
}

/// Everything about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderReport {
    /// Pairs that were trained on.
    pub pairs: BTreeMap<PairKind, usize>,
    pub settings: EncoderOptions,
    pub epochs: Vec<EncoderEpoch>,
    /// The model before training, on the pairs by which the mixture is chosen.
    pub validation_before: Retrieval,
    pub general_before: Ability,
    pub mixtures: Vec<Mixture>,
    /// The share of the trained model in the best mixture; `None` where none was better.
    pub chosen: Option<f32>,
    /// On pairs that were looked at once: the model before, and the best mixture.
    pub test_before: Retrieval,
    pub test: Option<Retrieval>,
    /// How much better in mean reciprocal rank.
    pub difference: Option<Gain>,
    /// Whether it is to take the place of the model before.
    pub is_better: bool,
}

/// A difference of two means over the same cases, and where 95 of 100 such means would lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// Told how a run goes on.
pub trait EncoderObserver {
    /// What begins now.
    fn phase(&mut self, what: &str);
    /// `done` of `batches` of an epoch (the first is 1) are behind. Answers whether to go on.
    fn batch(&mut self, epoch: usize, done: usize, batches: usize) -> bool;
    fn epoch(&mut self, report: &EncoderEpoch);
}

/// A model that is trained further.
pub struct EncoderRun<'a> {
    pub parts: &'a Parts,
    pub pairs: &'a [TextPair],
    pub options: &'a EncoderOptions,
    /// Where the state is kept, and read from when it is there already.
    pub checkpoint: Option<&'a Path>,
}

/// What a run ends with.
#[derive(Debug)]
pub struct Enhanced {
    pub report: EncoderReport,
    /// The numbers of the best mixture, for [`Parts::write`]; `None` where none was better.
    pub numbers: Option<Vec<f32>>,
}

impl EncoderRun<'_> {
    /// Trains to the end.
    ///
    /// # Errors
    /// When there are too few pairs, a text cannot be cut into tokens, the observer ends the
    /// run, the state cannot be written or is of another run, or the loss is no number.
    pub fn train(&self, observer: &mut dyn EncoderObserver) -> Result<Enhanced, TrainError> {
        self.options.check()?;
        let mut slices = Slices::new(self.parts, self.pairs, self.options)?;
        let general = General::new(self.parts, self.options.tokens, &mut slices.texts)?;
        if slices.training.len() < FEWEST_PAIRS
            || slices.validation.is_empty()
            || slices.test.is_empty()
        {
            return Err(TrainError::TooFewPairs {
                found: slices.training.len(),
                fewest: FEWEST_PAIRS,
            });
        }
        let measures = Measures {
            general: &general,
            validation: HeldOut::new(&slices.validation, &slices.training),
            test: HeldOut::new(&slices.test, &slices.training),
        };
        let mut trainer = Trainer::new(self.parts, &slices.texts, self.options);
        observer.phase("measure the model before training");
        let before = measures.before(&trainer);
        let epochs = self.epochs(&slices, &measures, &before, &mut trainer, observer)?;
        observer.phase("mix the trained model with the one before");
        let (mixtures, best) = self.mix(&measures, &before, &mut trainer, &epochs);
        let mut report = EncoderReport {
            pairs: counts(&slices.training),
            settings: self.options.clone(),
            epochs,
            validation_before: before.validation,
            general_before: before.general,
            mixtures,
            chosen: best.as_ref().map(|best| best.share),
            test_before: before.test,
            test: None,
            difference: None,
            is_better: false,
        };
        let numbers = best.map(|best| best.numbers);
        if let Some(numbers) = &numbers {
            trainer.numbers.clone_from(numbers);
            let test = measures.test.ask(&|texts| trainer.vectors(texts));
            report.compare(test, self.options.seed);
        }
        Ok(Enhanced {
            numbers: numbers.filter(|_| report.is_better),
            report,
        })
    }

    fn epochs(
        &self,
        slices: &Slices,
        measures: &Measures<'_>,
        before: &Before,
        trainer: &mut Trainer<'_>,
        observer: &mut dyn EncoderObserver,
    ) -> Result<Vec<EncoderEpoch>, TrainError> {
        let pairs: Vec<PairOfTexts> = slices.training.iter().map(|(_, pair)| *pair).collect();
        observer.phase("look for hard negatives");
        // Of the model before training, so the state of a run must not be there yet.
        let guide = Guide::new(trainer, &pairs);
        let identity = checkpoint::identity(&trainer.numbers, self.pairs, self.options);
        let mut progress = self.resume(trainer, identity)?;
        while progress.reports.len() < self.options.epochs {
            let epoch = progress.reports.len() + 1;
            if progress.batches.is_empty() {
                // What is hard for the model changes with it, but slowly.
                let now = (epoch > 1).then(|| {
                    observer.phase("look for hard negatives");
                    Guide::new(trainer, &pairs)
                });
                let mut rng = Rng::with_seed(self.options.seed.wrapping_add(epoch as u64));
                progress.batches = batches(&guide, now.as_ref(), self.options.batch, &mut rng);
            }
            let rest = EpochOf {
                run: self,
                pairs: &pairs,
                guide: &guide,
                identity,
            };
            rest.train(&mut progress, trainer, observer)?;
            let vectors = |texts: &[u32]| trainer.vectors(texts);
            let report = EncoderEpoch {
                epoch,
                loss: progress.loss / pairs.len() as f64,
                validation: measures.validation.ask(&vectors),
                general: measures.ability(&before.sentences, trainer),
                seconds: progress.seconds,
                tokens_per_second: progress.tokens as f64 / progress.seconds,
            };
            observer.epoch(&report);
            let mut reports = std::mem::take(&mut progress.reports);
            reports.push(report);
            progress = Progress {
                reports,
                ..Progress::default()
            };
            self.keep(identity, &progress, trainer)?;
        }
        Ok(progress.reports)
    }

    /// Goes on where an earlier run of the same model, pairs and settings was ended.
    fn resume(&self, trainer: &mut Trainer<'_>, identity: u64) -> Result<Progress, TrainError> {
        let Some(path) = self.checkpoint.filter(|path| path.exists()) else {
            return Ok(Progress::default());
        };
        let (progress, state) = checkpoint::load(path, identity, trainer.numbers.len())?;
        trainer.numbers = state.parameters;
        trainer.adam = Adam {
            first: state.first,
            second: state.second,
            steps: state.steps,
        };
        Ok(progress)
    }

    /// Keeps how far the run has come.
    fn keep(
        &self,
        identity: u64,
        progress: &Progress,
        trainer: &Trainer<'_>,
    ) -> Result<(), TrainError> {
        let Some(path) = self.checkpoint else {
            return Ok(());
        };
        let Adam {
            first,
            second,
            steps,
        } = &trainer.adam;
        let numbers = [trainer.numbers.as_slice(), first, second];
        checkpoint::save(path, identity, progress, *steps, numbers)
    }

    /// Between the model before and the trained one lie models that keep most of what the one
    /// knows and most of what the other has learnt (Wortsman et al. 2022,
    /// <https://arxiv.org/abs/2109.01903>). The best of those that keep the general ability is
    /// taken, if it is better than the model before.
    fn mix(
        &self,
        measures: &Measures<'_>,
        before: &Before,
        trainer: &mut Trainer<'_>,
        epochs: &[EncoderEpoch],
    ) -> (Vec<Mixture>, Option<Best>) {
        let original = self.parts.numbers();
        let trained = trainer.numbers.clone();
        let mut mixtures = Vec::new();
        let mut best: Option<(f64, Best)> = None;
        for share in MIXTURES {
            let sides = original.iter().zip(&trained);
            trainer.numbers.clear();
            trainer
                .numbers
                .extend(sides.map(|(old, new)| old + share * (new - old)));
            // The last epoch was measured already.
            let (validation, general) = match epochs.last().filter(|_| share == 1.0) {
                Some(last) => (last.validation.clone(), last.general),
                None => (
                    measures.validation.ask(&|texts| trainer.vectors(texts)),
                    measures.ability(&before.sentences, trainer),
                ),
            };
            let keeps_ability = general.is_kept(&before.general);
            let bar = best.as_ref().map_or(before.validation.mrr, |(mrr, _)| *mrr);
            if keeps_ability && validation.mrr > bar {
                let numbers = trainer.numbers.clone();
                best = Some((validation.mrr, Best { share, numbers }));
            }
            mixtures.push(Mixture {
                share,
                validation,
                general,
                keeps_ability,
            });
        }
        (mixtures, best.map(|(_, best)| best))
    }
}

/// What one epoch needs.
struct EpochOf<'a> {
    run: &'a EncoderRun<'a>,
    pairs: &'a [PairOfTexts],
    /// The model before training.
    guide: &'a Guide,
    identity: u64,
}

impl EpochOf<'_> {
    /// Goes through the batches that are left.
    fn train(
        &self,
        progress: &mut Progress,
        trainer: &mut Trainer<'_>,
        observer: &mut dyn EncoderObserver,
    ) -> Result<(), TrainError> {
        let options = self.run.options;
        let epoch = progress.reports.len() + 1;
        let batches = progress.batches.len();
        let steps = batches * options.epochs;
        let mut kept = Instant::now();
        while let Some(batch) = progress.batches.get(progress.done) {
            let started = Instant::now();
            let pair = |&at: &u32| self.pairs.get(at as usize).copied();
            let batch: Vec<PairOfTexts> = batch.iter().filter_map(pair).collect();
            let rate = options.rate_at(trainer.adam.steps as usize, steps);
            let loss = trainer.step(&batch, &|text| self.guide.of(text), rate);
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch });
            }
            progress.loss += loss * batch.len() as f64;
            progress.tokens += trainer.tokens(&batch);
            progress.done += 1;
            progress.seconds += started.elapsed().as_secs_f64();
            let goes_on = observer.batch(epoch, progress.done, batches);
            if !goes_on || kept.elapsed() >= EVERY {
                self.run.keep(self.identity, progress, trainer)?;
                kept = Instant::now();
            }
            if !goes_on {
                return Err(TrainError::Stopped);
            }
        }
        Ok(())
    }
}

impl EncoderReport {
    /// It is better when it is so on the final test by more than chance.
    fn compare(&mut self, test: Retrieval, seed: u64) {
        let (after, before) = (&test.reciprocal, &self.test_before.reciprocal);
        if let Some(Difference {
            mean, low, high, ..
        }) = paired_bootstrap(after, before, RESAMPLES, seed)
        {
            self.difference = Some(Gain { mean, low, high });
            self.is_better = low > 0.0;
        }
        self.test = Some(test);
    }
}

/// The best mixture.
struct Best {
    share: f32,
    numbers: Vec<f32>,
}

/// What is asked before, during and after training.
struct Measures<'a> {
    general: &'a General,
    validation: HeldOut,
    test: HeldOut,
}

/// The model before training.
struct Before {
    validation: Retrieval,
    test: Retrieval,
    general: Ability,
    /// Vectors of the general sentences.
    sentences: Vec<f32>,
}

impl Measures<'_> {
    fn before(&self, trainer: &Trainer<'_>) -> Before {
        let vectors = |texts: &[u32]| trainer.vectors(texts);
        let sentences = trainer.vectors(self.general.texts());
        Before {
            validation: self.validation.ask(&vectors),
            test: self.test.ask(&vectors),
            general: self.general.ability(&sentences, &sentences),
            sentences,
        }
    }

    fn ability(&self, before: &[f32], trainer: &Trainer<'_>) -> Ability {
        let now = trainer.vectors(self.general.texts());
        self.general.ability(before, &now)
    }
}

/// The vectors of the pairs' texts at one moment.
struct Guide {
    width: usize,
    /// Place of each text among the vectors; texts of no pair have none.
    places: Vec<u32>,
    vectors: Vec<f32>,
    pairs: Vec<PairOfTexts>,
}

impl Guide {
    fn new(trainer: &Trainer<'_>, pairs: &[PairOfTexts]) -> Self {
        let mut texts: Vec<u32> = pairs
            .iter()
            .flat_map(|pair| [pair.query, pair.item])
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let mut places = vec![u32::MAX; texts.last().map_or(0, |&last| last as usize + 1)];
        for (place, &text) in (0..).zip(&texts) {
            places[text as usize] = place;
        }
        Self {
            width: trainer.width(),
            places,
            vectors: trainer.vectors(&texts),
            pairs: pairs.to_vec(),
        }
    }

    /// The vector of a text of a pair.
    fn of(&self, text: u32) -> &[f32] {
        let place = self.places[text as usize] as usize;
        &self.vectors[place * self.width..][..self.width]
    }

    fn sides(&self) -> [Vec<f32>; 2] {
        let rows = |side: fn(&PairOfTexts) -> u32| -> Vec<f32> {
            let rows = self.pairs.iter().map(|pair| self.of(side(pair)));
            rows.flatten().copied().collect()
        };
        [rows(|pair| pair.query), rows(|pair| pair.item)]
    }
}

/// Batches by what is near now, or before training where nothing newer is known.
fn batches(guide: &Guide, now: Option<&Guide>, size: usize, rng: &mut Rng) -> Vec<Vec<u32>> {
    let before = guide.sides();
    let newer = now.map(Guide::sides);
    let compared = Compared {
        now: newer
            .as_ref()
            .unwrap_or(&before)
            .each_ref()
            .map(Vec::as_slice),
        guide: before.each_ref().map(Vec::as_slice),
        width: guide.width,
    };
    compared.batches(size, rng)
}

fn counts(pairs: &[(PairKind, PairOfTexts)]) -> BTreeMap<PairKind, usize> {
    let mut counts = BTreeMap::new();
    for (kind, _) in pairs {
        *counts.entry(*kind).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
