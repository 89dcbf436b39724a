//! `metrics.json`: everything that was measured, in one object. Programs read it, so names
//! in it are kept.

use super::baselines::Baseline;
use super::blend::Blended;
use super::curves::{Bin, ByHistory, Threshold};
use super::split::{Counts, Dates};
use crate::evaluation::Asked;
use crate::options::Options;
use crate::run::EpochReport;
use crate::validation::{Telling, ValidationReport};
use serde::{Deserialize, Serialize};

/// What was measured of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub model: String,
    /// Milliseconds since 1970.
    pub created: i64,
    /// The action that `bce`, `auc` and the curves are about.
    pub action: String,
    /// Whether items that a shopper had to do with may come next again.
    pub repeats: bool,
    pub validation: ValidationReport,
    pub test: ValidationReport,
    /// Of the cases that a query led to, where the model has queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedSlices>,
    /// Expected calibration error of the test.
    pub ece: f64,
    pub baselines: Vec<Baseline>,
    /// With counted pairs (`pctm`), as recommendations use it.
    pub blend: Option<Blended>,
    pub logistic: Option<Logistic>,
    pub epochs: Vec<EpochReport>,
    /// Of the test, as the following.
    pub reliability: Vec<Bin>,
    pub thresholds: Vec<Threshold>,
    pub by_history: Vec<ByHistory>,
    pub counts: Counts,
    pub dates: Dates,
    pub settings: Options,
}

/// What queries add, on both slices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedSlices {
    pub validation: Asked,
    pub test: Asked,
}

/// The logistic regression on both slices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    pub validation: Telling,
    pub test: Telling,
}
