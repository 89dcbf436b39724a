//! What a model must not unlearn: 48 pairs of everyday sentences that mean the same in other
//! words, none of them about a shop. How well it finds the other half of a pair, and whether
//! sentences lie to each other as they did, says what training did to all the rest.

use super::measure::rank;
use encode::{ModelError, Parts, Prefix};
use serde::{Deserialize, Serialize};

/// How much worse other halves may be found, in mean reciprocal rank …
const WORSE: f64 = 0.02;
/// … and how like the old cosines the new ones must be, as a correlation.
const LIKE: f64 = 0.9;

/// The texts, and where they stand among all texts of a run.
#[derive(Debug)]
pub(super) struct General {
    texts: Vec<u32>,
}

/// What is left of the general ability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ability {
    /// Mean reciprocal rank of the other half of a pair.
    pub mrr: f64,
    /// Correlation of the cosines with those before training.
    pub likeness: f64,
}

impl Ability {
    /// Whether it is near enough to what it was.
    pub fn is_kept(&self, before: &Self) -> bool {
        self.mrr >= before.mrr - WORSE && self.likeness >= LIKE
    }
}

impl General {
    /// Adds the sentences to the tokens of all texts.
    pub fn new(parts: &Parts, tokens: usize, all: &mut Vec<Vec<u32>>) -> Result<Self, ModelError> {
        let mut texts = Vec::new();
        for (query, item) in pairs() {
            for (text, prefix) in [(query, Prefix::Query), (item, Prefix::Passage)] {
                texts.push(all.len() as u32);
                all.push(parts.tokens(text, prefix, tokens)?);
            }
        }
        Ok(Self { texts })
    }

    pub fn texts(&self) -> &[u32] {
        &self.texts
    }

    /// Compares vectors of the texts with those before training.
    pub fn ability(&self, before: &[f32], now: &[f32]) -> Ability {
        let width = now.len() / self.texts.len();
        let (queries, items): (Vec<_>, Vec<_>) = now
            .chunks_exact(2 * width)
            .map(|pair| pair.split_at(width))
            .unzip();
        let mut sum = 0.0;
        for (near, far) in [(&queries, &items), (&items, &queries)] {
            for (at, vector) in near.iter().enumerate() {
                sum += 1.0 / rank(vector, far.iter().copied(), at) as f64;
            }
        }
        Ability {
            mrr: sum / (2 * queries.len()) as f64,
            likeness: correlation(&cosines(before, width), &cosines(now, width)),
        }
    }
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("general.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'))
}

/// Of every two vectors.
fn cosines(vectors: &[f32], width: usize) -> Vec<f64> {
    let rows: Vec<&[f32]> = vectors.chunks_exact(width).collect();
    let mut cosines = Vec::new();
    for (at, a) in rows.iter().enumerate() {
        for b in &rows[at + 1..] {
            cosines.push(f64::from(a.iter().zip(*b).map(|(x, y)| x * y).sum::<f32>()));
        }
    }
    cosines
}

/// Pearson's; 0 where one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        both += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    let product = (of_a * of_b).sqrt();
    if product > 0.0 { both / product } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_are_pairs_of_different_words() {
        assert_eq!(pairs().count(), 48);
        for (a, b) in pairs() {
            assert!(!a.is_empty() && !b.is_empty() && a != b, "{a}");
        }
    }

    #[test]
    fn ability_falls_when_vectors_are_shuffled() {
        let general = General {
            texts: (0..8).collect(),
        };
        // Four pairs, the halves of each near each other, pairs apart.
        let turn = |angle: f32| [angle.cos(), angle.sin()];
        let before: Vec<f32> = (0..8)
            .flat_map(|at| turn((at / 2) as f32 * 0.7 + (at % 2) as f32 * 0.1))
            .collect();
        let same = general.ability(&before, &before);
        assert_eq!(same.mrr, 1.0);
        assert!((same.likeness - 1.0).abs() < 1e-9);
        let mut other = before.clone();
        other[2..].rotate_left(4);
        let worse = general.ability(&before, &other);
        assert!(worse.mrr < 0.9 && worse.likeness < 0.5, "{worse:?}");
        assert!(same.is_kept(&same) && !worse.is_kept(&same));
    }
}
