//! What a model is measured with while it trains: events that came after those it learns from.

use crate::data::Event;
use crate::losses::sigmoid;
use crate::network::Trace;
use crate::share::{Ask, Query, Share, Task};
use crate::text_tokens::Given;
use crate::trainer::Trainer;
use fastrand::Rng;
use models::affinity::Calibration;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// What happened next, after a history.
#[derive(Clone, Debug)]
pub struct Case {
    /// The oldest first; not empty.
    pub history: Vec<Event>,
    pub next: Event,
}

/// Cases, and how they are counted.
#[derive(Clone, Debug)]
pub struct Validation {
    pub cases: Vec<Case>,
    /// Whether items of the history may come next again; where they may not, they are not ranked.
    pub repeats: bool,
    /// Decides which items the negatives are.
    pub seed: u64,
}

impl Validation {
    /// The cases that a query led to.
    pub(crate) fn asked(&self) -> Self {
        let cases = self.cases.iter();
        let asked = cases.filter(|case| case.next.query.is_some());
        Self {
            cases: asked.cloned().collect(),
            ..*self
        }
    }

    /// An item drawn at random for each case, to tell what came next apart from.
    pub(crate) fn drawn(&self, items: usize) -> Vec<u32> {
        let mut rng = Rng::with_seed(self.seed);
        let draw = |_: &Case| rng.u32(..items as u32);
        self.cases.iter().map(draw).collect()
    }
}

/// Figures over the cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// Binary cross-entropy of the first action that tells cases apart, one drawn negative a positive.
    pub bce: f64,
    /// Area under the receiver operating characteristic of the same.
    pub auc: f64,
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    #[serde(rename = "recall@10")]
    pub recall_10: f64,
    pub cases: usize,
}

/// How well an action was told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    pub bce: f64,
    pub auc: f64,
}

/// An action's logit, and whether it was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub logits: [f32; 3],
    /// View, cart, purchase.
    pub done: [bool; 3],
}

/// Whether cases are asked about with the query that led to what happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Queries {
    Given,
    Hidden,
}

/// Places that are looked at.
pub(crate) const DEPTH: usize = 10;
/// Cases that one thread takes at a time.
const CHUNK: usize = 128;

impl Trainer<'_> {
    pub(crate) fn validate(&self, validation: &Validation) -> ValidationReport {
        let outcomes = self.outcomes(validation, Queries::Hidden);
        let action = told_action(&outcomes);
        let scores: Vec<f64> = outcomes
            .iter()
            .map(|outcome| f64::from(sigmoid(outcome.logits[action])))
            .collect();
        let labels: Vec<bool> = outcomes
            .iter()
            .map(|outcome| outcome.done[action])
            .collect();
        report(&scores, &labels, &self.ranks(validation))
    }

    /// The place of what came next among all items, where it is one of the first.
    pub(crate) fn ranks(&self, validation: &Validation) -> Vec<Option<usize>> {
        let histories: Vec<Vec<Event>> = validation
            .cases
            .iter()
            .map(|case| case.history.clone())
            .collect();
        let ranks: Mutex<Vec<Option<usize>>> = Mutex::new(vec![None; histories.len()]);
        self.scores(&histories, &|at, scores| {
            let case = &validation.cases[at];
            let history: Vec<u32> = case.history.iter().map(|event| event.item).collect();
            let rank = rank_of(scores, &history, case.next.item, validation.repeats);
            ranks
                .lock()
                .expect("no thread panics while it writes a rank")[at] = rank;
        });
        ranks
            .into_inner()
            .expect("no thread panics while it writes a rank")
    }

    /// The logits of what came next and of an item drawn at random, for each case.
    pub(crate) fn outcomes(&self, validation: &Validation, queries: Queries) -> Vec<Outcome> {
        let vectors = self.item_vectors();
        let drawn = validation.drawn(self.data.items);
        let chunks = validation
            .cases
            .par_chunks(CHUNK)
            .zip(drawn.par_chunks(CHUNK));
        let outcomes = chunks.map(|(cases, drawn)| {
            let events: Vec<Vec<Event>> = cases
                .iter()
                .map(|case| self.context(&case.history))
                .collect();
            let mut given = self.nothing_given();
            let tasks: Vec<Task<'_>> = cases
                .iter()
                .zip(&events)
                .zip(drawn)
                .map(|((case, events), &negative)| {
                    self.question(case, events, negative, queries, &mut given)
                })
                .collect();
            let tokens = self.given_tokens(&given);
            let pass = self.pass(&vectors, &tokens, given.profiles.rows());
            let mut trace = Trace::default();
            let mut share = Share::default();
            let (_, asked) = share.look(&pass, &tasks, &mut trace);
            let (weight, bias) = pass.tables.actions.of(pass.parameters);
            let outcome = |asked: &crate::share::Asked| {
                let hidden = &trace.output[asked.token * self.width..][..self.width];
                let logit = |action: usize| {
                    let row = &weight[action * self.width..][..self.width];
                    bias[action] + row.iter().zip(hidden).map(|(a, b)| a * b).sum::<f32>()
                };
                Outcome {
                    logits: [logit(0), logit(1), logit(2)],
                    done: asked.actions,
                }
            };
            asked.iter().map(outcome).collect::<Vec<Outcome>>()
        });
        outcomes.flatten().collect()
    }

    /// What came next and another item, asked about after a history.
    fn question<'e>(
        &self,
        case: &Case,
        events: &'e [Event],
        negative: u32,
        queries: Queries,
        given: &mut Given,
    ) -> Task<'e> {
        let before = events.len() - 1;
        let row = match queries {
            Queries::Given => self.query(&case.next, given),
            Queries::Hidden => None,
        };
        let ask = |item, actions| Ask {
            before,
            row: item,
            actions,
            query: row.map(|_| 0),
        };
        Task {
            profile: self.profile(self.older(&case.history), given),
            events,
            rows: events.iter().map(|event| event.item).collect(),
            queries: row.map(|row| Query { before, row }).into_iter().collect(),
            asks: vec![
                ask(case.next.item, case.next.actions()),
                ask(negative, [false; 3]),
            ],
        }
    }

    /// Scale and offset of each action's logit by which the cases are likeliest (Platt 1999).
    pub(crate) fn calibrate(&self, validation: &Validation, queries: Queries) -> Vec<Calibration> {
        let outcomes = self.outcomes(validation, queries);
        (0..3)
            .map(|action| {
                let pairs: Vec<(f64, bool)> = outcomes
                    .iter()
                    .map(|outcome| (f64::from(outcome.logits[action]), outcome.done[action]))
                    .collect();
                platt(&pairs)
            })
            .collect()
    }
}

/// Figures of what was answered: a probability and what happened for each item asked about,
/// and the place of what came next for each case.
pub(crate) fn report(
    probabilities: &[f64],
    labels: &[bool],
    ranks: &[Option<usize>],
) -> ValidationReport {
    let cases = ranks.len().max(1) as f64;
    ValidationReport {
        bce: eval::log_loss(probabilities, labels).unwrap_or(0.0),
        auc: eval::auc(probabilities, labels).unwrap_or(0.5),
        ndcg_10: mean_gain(ranks),
        recall_10: ranks.iter().flatten().count() as f64 / cases,
        cases: ranks.len(),
    }
}

/// The mean of what the places are worth, the first of which is 0: nDCG of one relevant item.
pub(crate) fn mean_gain(ranks: &[Option<usize>]) -> f64 {
    let gains = ranks
        .iter()
        .flatten()
        .map(|rank| 1.0 / ((rank + 2) as f64).log2());
    // The library's sum of no numbers is a negative nothing.
    gains.fold(0.0, |sum, gain| sum + gain) / ranks.len().max(1) as f64
}

/// The place of the next item among the first ten of all that may come, from 0. Where items of
/// the history may not come again, they are not ranked; equal scores are ordered by item.
pub fn rank_of(scores: &[f32], history: &[u32], next: u32, repeats: bool) -> Option<usize> {
    let own = scores[next as usize];
    let before = |(item, &score): (usize, &f32)| {
        let is_better = score > own || (score == own && item < next as usize);
        is_better && (repeats || !history.contains(&(item as u32)))
    };
    let rank = scores
        .iter()
        .enumerate()
        .filter(|&entry| before(entry))
        .take(DEPTH)
        .count();
    (rank < DEPTH).then_some(rank)
}

/// The strongest action that was done in some cases.
pub(crate) fn told_action(outcomes: &[Outcome]) -> usize {
    (0..3)
        .rev()
        .find(|&action| outcomes.iter().any(|outcome| outcome.done[action]))
        .unwrap_or(0)
}

/// Newton's method on the two numbers, with a little weight on leaving the logits alone.
fn platt(pairs: &[(f64, bool)]) -> Calibration {
    let is_told = pairs.iter().any(|pair| pair.1) && pairs.iter().any(|pair| !pair.1);
    if !is_told {
        return Calibration::default();
    }
    const PRIOR: f64 = 1.0;
    const LEAST_SCALE: f64 = 0.05;
    let (mut scale, mut offset) = (1.0, 0.0);
    for _ in 0..50 {
        let (mut slope, mut bend) = ([PRIOR * (scale - 1.0), PRIOR * offset], [PRIOR, 0.0, PRIOR]);
        for &(logit, done) in pairs {
            let p = 1.0 / (1.0 + (-(scale * logit + offset)).exp());
            let error = p - f64::from(u8::from(done));
            slope[0] += error * logit;
            slope[1] += error;
            let weight = p * (1.0 - p);
            bend[0] += weight * logit * logit;
            bend[1] += weight * logit;
            bend[2] += weight;
        }
        let determinant = bend[0] * bend[2] - bend[1] * bend[1];
        let step = [
            (bend[2] * slope[0] - bend[1] * slope[1]) / determinant,
            (bend[0] * slope[1] - bend[1] * slope[0]) / determinant,
        ];
        if !step.iter().all(|step| step.is_finite()) {
            return Calibration::default();
        }
        // A bound on the step keeps Newton's method from leaping over the valley.
        scale -= step[0].clamp(-1.0, 1.0);
        offset -= step[1].clamp(-1.0, 1.0);
        // Where the logits say nothing, chance must not turn them around.
        scale = scale.max(LEAST_SCALE);
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    Calibration {
        scale: scale as f32,
        offset: offset as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_finds_scale_and_offset() {
        let mut rng = Rng::with_seed(2);
        let pairs: Vec<(f64, bool)> = (0..40_000)
            .map(|_| {
                let logit = 4.0 * rng.f64() - 2.0;
                let p = 1.0 / (1.0 + (-(0.5 * logit - 1.0)).exp());
                (logit, rng.f64() < p)
            })
            .collect();
        let found = platt(&pairs);
        assert!(
            (found.scale - 0.5).abs() < 0.05 && (found.offset + 1.0).abs() < 0.05,
            "{found:?}"
        );
        assert_eq!(platt(&[(1.0, true), (2.0, true)]), Calibration::default());
        assert_eq!(platt(&[]), Calibration::default());
    }
}
