//! Why a run ends without a model.

use crate::device::DeviceError;
use encode::ModelError;
use models::affinity::AffinityError;
use std::io;
use std::path::PathBuf;

/// What went wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    #[error(
        "there is too little to learn from: no shopper did two things; collect more events first"
    )]
    TooLittle,
    #[error(
        "there is nothing to rank: shoppers had to do with fewer than two items; collect more events first"
    )]
    TooFewItems,
    #[error(
        "there is nothing to measure on: in the newest part of the events no shopper went on to another item; collect events over a longer time first"
    )]
    NothingToMeasure,
    #[error("the setting {name} must be {rule}, not {found}")]
    Setting {
        name: &'static str,
        rule: &'static str,
        found: f64,
    },
    #[error("the data are not of one piece: {0}")]
    Data(String),
    #[error(
        "training was interrupted after {epochs} whole epochs; start it again to go on from there"
    )]
    Interrupted { epochs: usize },
    #[error(
        "there are too few pairs of texts to learn from, {found} where {fewest} are the least: an encoder learns from items with a title and a description or attributes, from searches with a click or purchase behind them, and from baskets"
    )]
    TooFewPairs { found: usize, fewest: usize },
    #[error("training was interrupted; the model is as it was, and the run can be gone on with")]
    Stopped,
    #[error("the model cannot be trained further")]
    Encoder(#[from] ModelError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error("the loss of epoch {epoch} is not a number: try a lower learning rate")]
    Diverged { epoch: usize },
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is damaged: remove it to begin anew")]
    Damaged { path: PathBuf },
    #[error("the checkpoint {path} is of other data, items or settings: remove it to begin anew")]
    OtherRun { path: PathBuf },
    #[error("the state of the run cannot be written as JSON")]
    Head(#[source] serde_json::Error),
    #[error("the data cannot be encoded")]
    Encode(#[source] postcard::Error),
    #[error("a model to compare with cannot be fitted")]
    Baseline(#[from] models::ModelError),
    #[error("the trained model cannot be used")]
    Model(#[from] AffinityError),
}
