//! What an encoder's run goes on from: its pairs and settings, and how far it has come.
//!
//! An epoch takes many minutes, so the state is kept within one too, with its batches: they were
//! put together by the model as it was when the epoch began.

use super::options::EncoderOptions;
use super::pairs::TextPair;
use super::run::EncoderEpoch;
use crate::checked;
use crate::error::TrainError;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Marks and versions at the start of the files.
const INPUT: &[u8; 8] = b"VTRNEIN1";
const STATE: &[u8; 8] = b"VTRNETR1";

/// What a run is made of, kept beside it: it goes on with the same texts when it is interrupted
/// and the shop is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderInput {
    /// The folder of the model that is trained further.
    pub base: PathBuf,
    pub pairs: Vec<TextPair>,
    pub options: EncoderOptions,
}

impl EncoderInput {
    /// Keeps it in a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        checked::write(path, INPUT, self, &[])
    }

    /// Reads what [`EncoderInput::save`] kept.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged or another one.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        Ok(checked::parts(path, INPUT)?.0)
    }
}

/// How far a run has come.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Epochs that are behind.
    pub reports: Vec<EncoderEpoch>,
    /// Those of the epoch that has begun; none between two.
    pub batches: Vec<Vec<u32>>,
    /// Batches of it that are behind, their loss times their pairs, their tokens, their time.
    pub done: usize,
    pub loss: f64,
    pub tokens: usize,
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
struct Head<P> {
    identity: u64,
    /// Of the optimiser.
    steps: u32,
    progress: P,
}

/// The numbers of a model in training.
pub(super) struct State {
    pub steps: u32,
    pub parameters: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// A number that is another one for another model before training, other pairs or settings.
pub(super) fn identity(numbers: &[f32], pairs: &[TextPair], options: &EncoderOptions) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    format!("{options:?}").hash(&mut hasher);
    for pair in pairs {
        (pair.kind, &pair.query, &pair.item, pair.of).hash(&mut hasher);
    }
    for number in numbers {
        number.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

/// Writes how far a run has come; the old file stays where that fails.
pub(super) fn save(
    path: &Path,
    identity: u64,
    progress: &Progress,
    steps: u32,
    numbers: [&[f32]; 3],
) -> Result<(), TrainError> {
    let head = Head {
        identity,
        steps,
        progress,
    };
    checked::write(path, STATE, &head, &numbers)
}

/// Reads it back.
pub(super) fn load(
    path: &Path,
    identity: u64,
    parameters: usize,
) -> Result<(Progress, State), TrainError> {
    let (head, numbers): (Head<Progress>, Vec<f32>) = checked::parts(path, STATE)?;
    if head.identity != identity || numbers.len() != 3 * parameters {
        return Err(TrainError::OtherRun {
            path: path.to_owned(),
        });
    }
    let part = |at: usize| numbers[at * parameters..][..parameters].to_vec();
    let state = State {
        steps: head.steps,
        parameters: part(0),
        first: part(1),
        second: part(2),
    };
    Ok((head.progress, state))
}
