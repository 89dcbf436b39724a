//! What the model must beat: the most popular items, sequential rules and PCTM for the next
//! item, on the same cases and ranked by the same rule.

use crate::data::{Dataset, Event};
use crate::error::TrainError;
use crate::validation::{DEPTH, Validation, mean_gain};
use models::{Pctm, PctmConfig, Rules, RulesConfig, SequenceModel};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How well next items were ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    #[serde(rename = "recall@10")]
    pub recall_10: f64,
}

/// Another way to rank, on both slices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub name: String,
    pub validation: Ranking,
    pub test: Ranking,
}

/// Fits the baselines on what the model is trained on, and ranks.
pub(crate) fn baselines(
    data: &Dataset,
    validation: &Validation,
    test: &Validation,
) -> Result<Vec<Baseline>, TrainError> {
    let sequences: Vec<Vec<u32>> = data.histories.iter().map(|events| items(events)).collect();
    let rules = Rules::fit(&sequences, data.items, &RulesConfig::default())?;
    let pctm = pctm(data)?;
    let counts = data.counts();
    let mut popular: Vec<u32> = (0..data.items as u32).collect();
    popular.sort_by_key(|&item| std::cmp::Reverse(counts[item as usize]));

    let most_popular = |_: &[u32], keep: &dyn Fn(u32) -> bool| -> Vec<u32> {
        let kept = popular.iter().copied().filter(|&item| keep(item));
        kept.take(DEPTH).collect()
    };
    let by_rules = |history: &[u32], keep: &dyn Fn(u32) -> bool| best(&rules, history, keep);
    let by_pctm = |history: &[u32], keep: &dyn Fn(u32) -> bool| best(&pctm, history, keep);
    let rankers: [(&str, &Ranker<'_>); 3] = [
        ("popular", &most_popular),
        ("rules", &by_rules),
        ("pctm", &by_pctm),
    ];
    let measure = |(name, ranker): (&str, &Ranker<'_>)| Baseline {
        name: name.to_owned(),
        validation: rank(validation, ranker),
        test: rank(test, ranker),
    };
    Ok(rankers.into_iter().map(measure).collect())
}

/// Counted pairs, fitted on what the model is trained on.
pub(crate) fn pctm(data: &Dataset) -> Result<Pctm, TrainError> {
    let sequences: Vec<Vec<u32>> = data.histories.iter().map(|events| items(events)).collect();
    // The published smoothing is for a catalogue of a certain size; per item it fits any.
    let config = PctmConfig {
        smoothing: data.items as f64,
        ..PctmConfig::default()
    };
    Ok(Pctm::fit(&sequences, data.items, &config)?)
}

/// The best items for a history, of those that may be proposed.
type Ranker<'a> = dyn Fn(&[u32], &dyn Fn(u32) -> bool) -> Vec<u32> + Sync + 'a;

fn best(model: &impl SequenceModel, history: &[u32], keep: &dyn Fn(u32) -> bool) -> Vec<u32> {
    let top = model.top(history, DEPTH, keep);
    top.into_iter().map(|(item, _)| item).collect()
}

fn rank(validation: &Validation, ranker: &Ranker<'_>) -> Ranking {
    let ranks: Vec<Option<usize>> = validation
        .cases
        .par_iter()
        .map(|case| {
            let history = items(&case.history);
            let keep = |item: u32| validation.repeats || !history.contains(&item);
            let best = ranker(&history, &keep);
            best.iter().position(|&item| item == case.next.item)
        })
        .collect();
    ranking(&ranks)
}

/// Figures of the places of what came next.
pub(crate) fn ranking(ranks: &[Option<usize>]) -> Ranking {
    let cases = ranks.len().max(1) as f64;
    Ranking {
        ndcg_10: mean_gain(ranks),
        recall_10: ranks.iter().flatten().count() as f64 / cases,
    }
}

pub(crate) fn items(events: &[Event]) -> Vec<u32> {
    events.iter().map(|event| event.item).collect()
}
