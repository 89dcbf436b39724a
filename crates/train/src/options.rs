//! How a model is trained. The defaults are what was found on inner splits.

use crate::device::Device;
use crate::error::TrainError;
use serde::{Deserialize, Serialize};

/// Settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    pub epochs: usize,
    pub seed: u64,
    /// Windows of a batch.
    pub batch: usize,
    /// The highest learning rate.
    pub rate: f32,
    /// Steps until it is reached.
    pub warm_up: u32,
    /// Weight decay of matrices.
    pub decay: f32,
    pub dropout: f32,
    /// Share of ids that are left out, so that new items work from their texts.
    pub id_dropout: f32,
    /// Items that the next one is told apart from; 0: all.
    pub negatives: usize,
    /// Events of a window that the actions' head is asked about.
    pub asks: usize,
    /// How much the actions count beside the next item.
    pub actions_weight: f32,
    pub device: Device,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 24,
            seed: 1,
            batch: 128,
            rate: 2e-3,
            warm_up: 200,
            decay: 0.01,
            dropout: 0.4,
            id_dropout: 0.0,
            negatives: 1024,
            asks: 0,
            actions_weight: 0.0,
            device: Device::Cpu,
        }
    }
}

impl Options {
    /// Refuses settings that cannot be trained with.
    ///
    /// # Errors
    /// Names the first such setting.
    pub fn check(&self) -> Result<(), TrainError> {
        let share = |name, value: f32| {
            require(
                (0.0..1.0).contains(&value),
                name,
                "at least 0 and below 1",
                value.into(),
            )
        };
        let above = |name, value: f32| {
            require(
                value.is_finite() && value > 0.0,
                name,
                "a number above 0",
                value.into(),
            )
        };
        require(self.epochs > 0, "epochs", "at least 1", self.epochs as f64)?;
        require(self.batch > 0, "batch", "at least 1", self.batch as f64)?;
        above("rate", self.rate)?;
        share("decay", self.decay)?;
        share("dropout", self.dropout)?;
        share("id_dropout", self.id_dropout)?;
        let weight = self.actions_weight;
        require(
            weight.is_finite() && weight >= 0.0,
            "actions_weight",
            "at least 0",
            weight.into(),
        )
    }
}

pub(crate) fn require(
    holds: bool,
    name: &'static str,
    rule: &'static str,
    found: f64,
) -> Result<(), TrainError> {
    if holds {
        Ok(())
    } else {
        Err(TrainError::Setting { name, rule, found })
    }
}
