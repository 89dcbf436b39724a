//! The two leave-one-out protocols of sequential recommendation.
//!
//! Every user's last item is to be predicted and the whole catalogue is ranked,
//! without sampled negatives. The protocols differ in what is trained on, in
//! who is counted and in whether items already seen may be recommended, so
//! their numbers are not on one scale.

use crate::sequences::Sequences;
use rustc_hash::FxHashSet;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// How sequences are split and what may be recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SequenceProtocol {
    /// Train without the last two items, test on the last with the one before it joined to the history; all users;
    /// items of the history may be recommended. Used by S3-Rec, TIGER and most papers.
    P1,
    /// Train on everything but the last item, test on the last; users whose target never occurs in training are
    /// dropped; items of the history are never recommended. Used by eSASRec and Petrov et al. (RecSys 2026).
    P2,
}

/// A word that names no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a protocol: use p1 or p2")]
pub struct UnknownProtocol(String);

impl FromStr for SequenceProtocol {
    type Err = UnknownProtocol;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.trim().to_ascii_lowercase().as_str() {
            "p1" => Ok(Self::P1),
            "p2" => Ok(Self::P2),
            other => Err(UnknownProtocol(other.chars().take(60).collect())),
        }
    }
}

impl fmt::Display for SequenceProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
        })
    }
}

/// One prediction to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The position of the user in the sequences.
    pub user: usize,
    /// What the ranker is given, the newest last.
    pub history: Vec<u32>,
    pub target: u32,
}

/// What to train on and what to predict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub protocol: SequenceProtocol,
    /// How many items there are; every number is below it.
    pub items: usize,
    /// One sequence per user; empty for a user whose items are all held out.
    pub training: Vec<Vec<u32>>,
    pub cases: Vec<Case>,
}

/// What the cases of a split came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SequenceReport {
    pub protocol: SequenceProtocol,
    #[serde(rename = "recall@5")]
    pub recall_5: f64,
    #[serde(rename = "ndcg@5")]
    pub ndcg_5: f64,
    #[serde(rename = "recall@10")]
    pub recall_10: f64,
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    pub users: usize,
}

/// Places that are looked at.
const DEPTH: usize = 10;

impl SequenceProtocol {
    /// The final split: the last item is the target. To be looked at once.
    pub fn test(self, sequences: &Sequences) -> Split {
        let trained = match self {
            Self::P1 => 2,
            Self::P2 => 1,
        };
        self.split(sequences, trained)
    }

    /// The split to tune on: the item before the last is the target. Last items leave no trace in it, not even in the
    /// number of items or in their numbers, which are those of [`Sequences::without_last`].
    pub fn inner(self, sequences: &Sequences) -> Split {
        self.split(&sequences.without_last(), 1)
    }

    /// Trains without the newest `untrained` items and predicts the newest one.
    fn split(self, known: &Sequences, untrained: usize) -> Split {
        let sequences = &known.sequences;
        let without = |sequence: &Vec<u32>, newest: usize| {
            sequence[..sequence.len().saturating_sub(newest)].to_vec()
        };
        let training: Vec<Vec<u32>> = sequences
            .iter()
            .map(|sequence| without(sequence, untrained))
            .collect();
        let trained: FxHashSet<u32> = training.iter().flatten().copied().collect();
        let mut cases = Vec::new();
        for (user, sequence) in sequences.iter().enumerate() {
            let history = without(sequence, 1);
            // A user without any history can only be given what is popular; that is not what is measured.
            let Some(&target) = sequence.get(history.len()).filter(|_| !history.is_empty()) else {
                continue;
            };
            if self == Self::P1 || trained.contains(&target) {
                cases.push(Case {
                    user,
                    history,
                    target,
                });
            }
        }
        Split {
            protocol: self,
            items: known.items.len(),
            training,
            cases,
        }
    }
}

impl Split {
    /// The rank of each target among the first ten, from 1; `None` where it is not among them.
    ///
    /// `rank` is given a history and a test of which items may be recommended, and answers with its best ten. The
    /// result does not depend on the number of threads.
    pub fn ranks(
        &self,
        threads: usize,
        rank: impl Fn(&[u32], &dyn Fn(u32) -> bool) -> Vec<u32> + Sync,
    ) -> Vec<Option<usize>> {
        let share = self.cases.len().div_ceil(threads.max(1)).max(1);
        let one = |case: &Case| self.rank_of(case, &rank);
        std::thread::scope(|scope| {
            let workers: Vec<_> = self
                .cases
                .chunks(share)
                .map(|cases| scope.spawn(move || cases.iter().map(one).collect::<Vec<_>>()))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("a ranker panicked"))
                .collect()
        })
    }

    fn rank_of(
        &self,
        case: &Case,
        rank: &impl Fn(&[u32], &dyn Fn(u32) -> bool) -> Vec<u32>,
    ) -> Option<usize> {
        let mut seen = case.history.clone();
        seen.sort_unstable();
        let keep =
            |item: u32| self.protocol == SequenceProtocol::P1 || seen.binary_search(&item).is_err();
        let ranked = rank(&case.history, &keep);
        // A ranker that does not ask must not gain or lose by it.
        let mut allowed = ranked.into_iter().filter(|&item| keep(item)).take(DEPTH);
        allowed
            .position(|item| item == case.target)
            .map(|position| position + 1)
    }

    /// Ranks all cases and reports the means.
    pub fn evaluate(
        &self,
        threads: usize,
        rank: impl Fn(&[u32], &dyn Fn(u32) -> bool) -> Vec<u32> + Sync,
    ) -> SequenceReport {
        SequenceReport::of(self.protocol, &self.ranks(threads, rank))
    }
}

impl SequenceReport {
    /// The means over the ranks of all cases; zeros without cases.
    pub fn of(protocol: SequenceProtocol, ranks: &[Option<usize>]) -> Self {
        let users = ranks.len();
        let mean = |value: &dyn Fn(usize) -> f64| {
            let sum: f64 = ranks.iter().flatten().map(|&rank| value(rank)).sum();
            if users == 0 { 0.0 } else { sum / users as f64 }
        };
        let hit = |rank: usize, k: usize| if rank <= k { 1.0 } else { 0.0 };
        Self {
            protocol,
            recall_5: mean(&|rank| hit(rank, 5)),
            ndcg_5: mean(&|rank| hit(rank, 5) * gain(rank)),
            recall_10: mean(&|rank| hit(rank, 10)),
            ndcg_10: mean(&|rank| hit(rank, 10) * gain(rank)),
            users,
        }
    }
}

/// nDCG of a list whose only relevant item stands at this rank.
fn gain(rank: usize) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
