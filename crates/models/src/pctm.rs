//! PCTM: what follows what, as smoothed probabilities.
//!
//! C\[b\]\[a\] = Σ γ_d over all ordered pairs at distance d, with γ_d = d^-power up
//! to the window; P(a|b) = (C\[b\]\[a\] + τ/|I|) / (C\[b\]· + τ); a history scores
//! S(a) = Σ w_j · log P(a|h_j) + λ · log p_pop(a) over its newest items, with
//! w_j ∝ recency^(j-1) normalised to sum 1 and p_pop(a) = (n_a + 1) / (Σn + |I|).
//! After Petrov et al., "Do Sequential Recommendation Benchmarks Really Require
//! Higher-Order Sequence Modelling?", RecSys 2026.
//!
//! log P(a|b) = log(1 + C\[b\]\[a\]·|I|/τ) + a term without a. That term is left
//! out: it shifts all scores of a history alike, and without it only the items
//! with counts have a score other than their popularity term.

use crate::best::Best;
use crate::bytes::Format;
use crate::model::{ModelError, SequenceModel, require};
use crate::rows::{Counting, Rows};
use crate::rules::merged;
use crate::sums::summed;
use serde::{Deserialize, Serialize};

const FORMAT: Format = Format {
    model: "pctm",
    mark: *b"VIT_PCTM",
    version: 1,
};

/// Settings of PCTM. The default is the published one for Amazon Beauty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PctmConfig {
    /// Pairs farther apart do not count.
    pub window: usize,
    /// γ_d = d^-power.
    pub power: f64,
    /// τ, the weight of the uniform distribution that counts are smoothed with.
    pub smoothing: f64,
    /// Newest items of a history that count.
    pub newest: usize,
    /// w_j ∝ recency^(j-1).
    pub recency: f64,
    /// λ, the weight of popularity; below zero it takes from the popular.
    pub popularity: f64,
}

impl Default for PctmConfig {
    fn default() -> Self {
        Self {
            window: 10,
            power: 0.5,
            smoothing: 11_250.0,
            newest: 50,
            recency: 0.6,
            popularity: -0.04,
        }
    }
}

impl PctmConfig {
    /// A small grid around the default, which stands first: smoothing as a multiple of the number of items, how
    /// much the newest item counts, and the weight of popularity.
    pub fn grid(items: usize) -> Vec<Self> {
        let default = Self::default();
        let mut grid = vec![default];
        for per_item in [0.3, 1.0, 3.0] {
            for recency in [0.6, 0.8] {
                for popularity in [-0.04, 0.0] {
                    grid.push(Self {
                        smoothing: per_item * items.max(1) as f64,
                        recency,
                        popularity,
                        ..default
                    });
                }
            }
        }
        grid
    }

    fn check(&self) -> Result<(), ModelError> {
        require(
            (1..=10_000).contains(&self.window),
            "window",
            "from 1 to 10000",
            self.window as f64,
        )?;
        require(
            (0.0..=10.0).contains(&self.power),
            "power",
            "from 0 to 10",
            self.power,
        )?;
        require(
            (1e-3..=1e12).contains(&self.smoothing),
            "smoothing",
            "from 0.001 to 10^12",
            self.smoothing,
        )?;
        require(
            (1..=10_000).contains(&self.newest),
            "newest",
            "from 1 to 10000",
            self.newest as f64,
        )?;
        require(
            self.recency > 0.0 && self.recency <= 1.0,
            "recency",
            "above 0 and at most 1",
            self.recency,
        )?;
        require(
            (-10.0..=10.0).contains(&self.popularity),
            "popularity",
            "from -10 to 10",
            self.popularity,
        )
    }
}

/// PCTM, fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Pctm {
    config: PctmConfig,
    /// log(1 + C·|I|/τ).
    rows: Rows,
    /// n_a, how often each item was seen.
    seen: Vec<u32>,
    /// λ · log p_pop(a).
    base: Vec<f64>,
    /// All items by descending base, then ascending number.
    by_base: Vec<u32>,
}

impl Pctm {
    /// Counts sequences of item numbers below `items`.
    pub fn fit(
        sequences: &[Vec<u32>],
        items: usize,
        config: &PctmConfig,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let gains: Vec<f64> = (1..=config.window)
            .map(|d| (d as f64).powf(-config.power))
            .collect();
        let scale = items as f64 / config.smoothing;
        let weight = |count: f64| (count * scale).ln_1p();
        let rows = Rows::count(
            sequences,
            items,
            &Counting {
                gains: &gains,
                keep: usize::MAX,
                weight: &weight,
            },
        )?;
        let mut seen = vec![0_u32; items];
        for &item in sequences.iter().flatten() {
            if let Some(count) = seen.get_mut(item as usize) {
                *count = count.saturating_add(1);
            }
        }
        Ok(Self::assemble(*config, rows, seen))
    }

    fn assemble(config: PctmConfig, rows: Rows, seen: Vec<u32>) -> Self {
        let total: u64 = seen.iter().map(|&count| u64::from(count)).sum();
        let all = total as f64 + seen.len() as f64;
        let base: Vec<f64> = seen
            .iter()
            .map(|&count| config.popularity * ((f64::from(count) + 1.0) / all).ln())
            .collect();
        let mut by_base: Vec<u32> = (0..).zip(&seen).map(|(item, _)| item).collect();
        // Compared as they are shown, so that equal scores stand by number.
        let shown = |item: u32| base[item as usize] as f32;
        by_base.sort_unstable_by(|&a, &b| shown(b).total_cmp(&shown(a)).then(a.cmp(&b)));
        Self {
            config,
            rows,
            seen,
            base,
            by_base,
        }
    }

    /// The settings it was fitted with.
    pub fn config(&self) -> &PctmConfig {
        &self.config
    }

    /// The model as bytes, for [`Pctm::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.write(&(&self.config, &self.rows, &self.seen))
    }

    /// Reads what [`Pctm::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (config, rows, seen): (PctmConfig, Rows, Vec<u32>) = FORMAT.read(bytes)?;
        config.check()?;
        rows.check()?;
        if seen.len() != rows.items() {
            return Err(ModelError::Damaged("rows and counts differ in number"));
        }
        Ok(Self::assemble(config, rows, seen))
    }

    /// The newest items of a history with their w_j, the newest first.
    fn voices<'a>(&self, history: &'a [u32]) -> impl Iterator<Item = (u32, f64)> + 'a {
        let recency = self.config.recency;
        let newest = &history[history.len().saturating_sub(self.config.newest)..];
        let powers = || std::iter::successors(Some(1.0), move |power| Some(power * recency));
        let total: f64 = powers().take(newest.len()).sum();
        newest
            .iter()
            .rev()
            .zip(powers())
            .map(move |(&item, power)| (item, power / total))
    }

    /// Scores of the items with counts, the popularity term included.
    fn sums(&self, history: &[u32]) -> Vec<(u32, f64)> {
        let mut sums = summed(self.items(), |sums| {
            for (source, voice) in self.voices(history) {
                for (target, weight) in self.rows.row(source) {
                    sums.add(target, voice * weight);
                }
            }
        });
        for (item, sum) in &mut sums {
            *sum += self.base[*item as usize];
        }
        sums
    }
}

impl SequenceModel for Pctm {
    fn items(&self) -> usize {
        self.rows.items()
    }

    fn scores(&self, history: &[u32]) -> Vec<(u32, f32)> {
        self.sums(history)
            .into_iter()
            .map(|(item, sum)| (item, sum as f32))
            .collect()
    }

    /// λ · log p_pop; zero for an item it was not fitted with.
    fn base(&self, item: u32) -> f32 {
        self.base
            .get(item as usize)
            .map_or(0.0, |&base| base as f32)
    }

    fn top(&self, history: &[u32], k: usize, keep: &dyn Fn(u32) -> bool) -> Vec<(u32, f32)> {
        let sums = self.sums(history);
        let mut best = Best::new(k, keep);
        for &(item, sum) in &sums {
            best.offer(item, sum);
        }
        for &item in &self.by_base {
            let has_counts = sums.binary_search_by_key(&item, |sum| sum.0).is_ok();
            if !has_counts && !best.offer(item, self.base[item as usize]) {
                // Those that follow are no better.
                break;
            }
        }
        best.into_vec()
    }

    fn explain(&self, history: &[u32], item: u32) -> Vec<(u32, f32)> {
        merged(
            self.voices(history)
                .map(|(source, voice)| (source, voice * self.rows.weight(source, item))),
        )
    }
}
