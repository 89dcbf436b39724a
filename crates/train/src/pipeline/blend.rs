//! The model beside counted pairs, as recommendations use both: which share of its score ranks
//! the next items of the validation best.

use super::baselines::{Ranking, items, pctm, ranking};
use crate::data::{Dataset, Event};
use crate::error::TrainError;
use crate::run::Trained;
use crate::validation::{Validation, rank_of};
use models::{Blend, SequenceModel as _};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// Shares of the affinity model that are tried.
const SHARES: [f64; 9] = [0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0];

/// Both models together, on both slices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blended {
    /// Of the affinity model; with 0 it adds nothing to counting.
    pub share: f64,
    pub validation: Ranking,
    pub test: Ranking,
}

/// Chooses the share on the validation and measures it on the test.
pub(crate) fn blended(
    data: &Dataset,
    trained: &Trained,
    validation: &Validation,
    test: &Validation,
) -> Result<Blended, TrainError> {
    let of_validation = rankings(data, trained, validation, &SHARES)?;
    let mut best = 0;
    for (at, ranking) in of_validation.iter().enumerate() {
        // Of equals the smaller share: what adds nothing stays out.
        if ranking.ndcg_10 > of_validation[best].ndcg_10 {
            best = at;
        }
    }
    let share = SHARES[best];
    let of_test = rankings(data, trained, test, &[share])?;
    Ok(Blended {
        share,
        validation: of_validation[best],
        test: of_test[0],
    })
}

/// How well each share ranks.
fn rankings(
    data: &Dataset,
    trained: &Trained,
    validation: &Validation,
    shares: &[f64],
) -> Result<Vec<Ranking>, TrainError> {
    let counted = pctm(data)?;
    let histories: Vec<Vec<Event>> = validation
        .cases
        .iter()
        .map(|case| case.history.clone())
        .collect();
    let ranks = Mutex::new(vec![vec![None; histories.len()]; shares.len()]);
    trained.scores(data, &histories, &|at, affinity| {
        let case = &validation.cases[at];
        let history = items(&case.history);
        let spoken = counted.scores(&history);
        let mut counts = vec![0.0; data.items];
        for &(item, score) in &spoken {
            counts[item as usize] = score;
        }
        for (place, &share) in shares.iter().enumerate() {
            let blend = Blend::new(affinity, spoken.iter().map(|&(_, score)| score), share);
            let scores: Vec<f32> = affinity
                .iter()
                .zip(&counts)
                .map(|(&affinity, &count)| blend.score(affinity, count) as f32)
                .collect();
            let rank = rank_of(&scores, &history, case.next.item, validation.repeats);
            let mut ranks = ranks
                .lock()
                .expect("no thread panics while it writes a rank");
            ranks[place][at] = rank;
        }
    });
    let ranks = ranks
        .into_inner()
        .expect("no thread panics while it writes a rank");
    Ok(ranks.iter().map(|ranks| ranking(ranks)).collect())
}
