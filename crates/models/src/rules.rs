//! Sequential rules: what tends to follow what, soon.
//!
//! For each ordered pair (b, a) at distance d ≤ W in a sequence, R\[b\]\[a\] grows
//! by g(d) = 1 / log10(d + shift); the strongest targets of each source are
//! kept. A history scores S(a) = Σ v(j) · R\[h_j\]\[a\] over its newest L items,
//! j = 1 the newest, with v(j) = j^-fading. After Ludewig and Jannach,
//! "Evaluation of session-based recommendation algorithms" (2018).

use crate::best::Best;
use crate::bytes::Format;
use crate::model::{ModelError, SequenceModel, require};
use crate::rows::{Counting, Rows};
use crate::sums::summed;
use serde::{Deserialize, Serialize};

const FORMAT: Format = Format {
    model: "rules",
    mark: *b"VITRULES",
    version: 1,
};

/// Settings of sequential rules. The default is the published one for Amazon Beauty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesConfig {
    /// W: pairs farther apart do not count.
    pub window: usize,
    /// g(d) = 1 / log10(d + shift).
    pub shift: f64,
    /// Strongest targets kept of each source.
    pub keep: usize,
    /// L: newest items of a history that count.
    pub newest: usize,
    /// v(j) = j^-fading.
    pub fading: f64,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            window: 10,
            shift: 1.7,
            keep: 100,
            newest: 10,
            fading: 2.0,
        }
    }
}

impl RulesConfig {
    /// A small grid around the default, which stands first: how much order counts (fading), how far pairs reach
    /// (window), and how many targets stay (keep).
    pub fn grid() -> Vec<Self> {
        let default = Self::default();
        let mut grid = vec![default];
        for fading in [1.0, 2.0, 3.0] {
            for (window, keep) in [(5, 100), (10, 100), (10, 400), (20, 400)] {
                let config = Self {
                    window,
                    keep,
                    fading,
                    ..default
                };
                if config != default {
                    grid.push(config);
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
            self.shift > 0.0 && self.shift <= 1e6,
            "shift",
            "above 0",
            self.shift,
        )?;
        require(self.keep >= 1, "keep", "1 or more", self.keep as f64)?;
        require(
            (1..=10_000).contains(&self.newest),
            "newest",
            "from 1 to 10000",
            self.newest as f64,
        )?;
        require(
            (0.0..=10.0).contains(&self.fading),
            "fading",
            "from 0 to 10",
            self.fading,
        )
    }
}

/// Sequential rules, fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    config: RulesConfig,
    rows: Rows,
}

impl Rules {
    /// Counts sequences of item numbers below `items`.
    pub fn fit(
        sequences: &[Vec<u32>],
        items: usize,
        config: &RulesConfig,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let gains: Vec<f64> = (1..=config.window)
            .map(|d| 1.0 / (d as f64 + config.shift).log10())
            .collect();
        if let Some(gain) = gains
            .iter()
            .find(|gain| !(gain.is_finite() && **gain > 0.0))
        {
            return Err(ModelError::Setting {
                name: "shift",
                rule: "above 0",
                value: *gain,
            });
        }
        let counting = Counting {
            gains: &gains,
            keep: config.keep,
            weight: &|count| count,
        };
        let rows = Rows::count(sequences, items, &counting)?;
        Ok(Self {
            config: *config,
            rows,
        })
    }

    /// The settings it was fitted with.
    pub fn config(&self) -> &RulesConfig {
        &self.config
    }

    /// The model as bytes, for [`Rules::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.write(&(&self.config, &self.rows))
    }

    /// Reads what [`Rules::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (config, rows): (RulesConfig, Rows) = FORMAT.read(bytes)?;
        config.check()?;
        rows.check()?;
        Ok(Self { config, rows })
    }

    /// The newest items of a history with their v(j), the newest first.
    fn voices<'a>(&self, history: &'a [u32]) -> impl Iterator<Item = (u32, f64)> + 'a {
        let fading = self.config.fading;
        let newest = history.iter().rev().take(self.config.newest);
        (1..)
            .zip(newest)
            .map(move |(j, &item)| (item, f64::from(j).powf(-fading)))
    }

    fn sums(&self, history: &[u32]) -> Vec<(u32, f64)> {
        summed(self.items(), |sums| {
            for (source, voice) in self.voices(history) {
                for (target, weight) in self.rows.row(source) {
                    sums.add(target, voice * weight);
                }
            }
        })
    }
}

impl SequenceModel for Rules {
    fn items(&self) -> usize {
        self.rows.items()
    }

    fn scores(&self, history: &[u32]) -> Vec<(u32, f32)> {
        self.sums(history)
            .into_iter()
            .map(|(item, sum)| (item, sum as f32))
            .collect()
    }

    /// Rules say nothing without a history.
    fn base(&self, _item: u32) -> f32 {
        0.0
    }

    /// Items that no rule leads to are not listed, so there may be fewer than `k`.
    fn top(&self, history: &[u32], k: usize, keep: &dyn Fn(u32) -> bool) -> Vec<(u32, f32)> {
        let mut best = Best::new(k, keep);
        for (item, sum) in self.sums(history) {
            best.offer(item, sum);
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

/// Joins the contributions of one source, in the order of first mention, and leaves out those of zero.
pub(crate) fn merged(parts: impl Iterator<Item = (u32, f64)>) -> Vec<(u32, f32)> {
    let mut sums: Vec<(u32, f64)> = Vec::new();
    for (source, part) in parts.filter(|part| part.1 != 0.0) {
        match sums.iter_mut().find(|sum| sum.0 == source) {
            Some(sum) => sum.1 += part,
            None => sums.push((source, part)),
        }
    }
    sums.into_iter()
        .map(|(source, sum)| (source, sum as f32))
        .collect()
}
