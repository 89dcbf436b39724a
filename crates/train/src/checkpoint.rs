//! The state of a run between two epochs, on disk.

use crate::adam::Adam;
use crate::checked;
use crate::data::Dataset;
use crate::error::TrainError;
use crate::options::Options;
use crate::run::EpochReport;
use models::affinity::AffinityConfig;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::Path;

/// Mark and version at the start of the file; the length of the head, the head as JSON, the
/// numbers and a check sum follow.
const MAGIC: &[u8; 8] = b"VTRNTRN1";

#[derive(Serialize, Deserialize)]
struct Head {
    identity: u64,
    steps: u32,
    parameters: usize,
    epochs: Vec<EpochReport>,
}

/// What a run goes on from.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub epochs: Vec<EpochReport>,
    pub parameters: Vec<f32>,
    pub adam: Adam,
}

/// A number that is another one for other sizes, data or settings.
pub(crate) fn identity(config: &AffinityConfig, data: &Dataset, options: &Options) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    format!("{config:?} {options:?}").hash(&mut hasher);
    data.items.hash(&mut hasher);
    for number in data.texts.iter().chain(&data.queries) {
        number.to_bits().hash(&mut hasher);
    }
    for field in &data.fields {
        field.of.hash(&mut hasher);
    }
    for history in &data.histories {
        history.len().hash(&mut hasher);
        for event in history {
            (event.item, event.kind, event.gap, event.quantity).hash(&mut hasher);
            event.query.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Writes the state of a run.
pub(crate) fn save(
    path: &Path,
    identity: u64,
    epochs: &[EpochReport],
    parameters: &[f32],
    adam: &Adam,
) -> Result<(), TrainError> {
    let head = Head {
        identity,
        steps: adam.steps,
        parameters: parameters.len(),
        epochs: epochs.to_vec(),
    };
    let head = serde_json::to_vec(&head).map_err(TrainError::Head)?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&head);
    for numbers in [parameters, &adam.first, &adam.second] {
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    write_beside(path, &bytes)
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let beside = path.with_extension("new");
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(source) = written.and_then(|()| fs::rename(&beside, path)) {
        // What is left of a full disk's half file would only take more of it.
        let _ = fs::remove_file(&beside);
        return Err(TrainError::Write {
            path: path.to_owned(),
            source,
        });
    }
    Ok(())
}

/// Reads a state back.
pub(crate) fn load(
    path: &Path,
    identity: u64,
    parameters: usize,
) -> Result<Checkpoint, TrainError> {
    let damaged = || TrainError::Damaged {
        path: path.to_owned(),
    };
    let rest = checked::read(path, MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| damaged())?;
    let (head, numbers) = rest.split_at_checked(len).ok_or_else(damaged)?;
    let head: Head = serde_json::from_slice(head).map_err(|_| damaged())?;
    if head.identity != identity || head.parameters != parameters {
        return Err(TrainError::OtherRun {
            path: path.to_owned(),
        });
    }
    if numbers.len() != 3 * 4 * parameters {
        return Err(damaged());
    }
    let (words, _) = numbers.as_chunks::<4>();
    let mut parts = words
        .chunks_exact(parameters.max(1))
        .map(|words| words.iter().map(|word| f32::from_le_bytes(*word)).collect());
    let mut next = || parts.next().unwrap_or_default();
    Ok(Checkpoint {
        epochs: head.epochs,
        parameters: next(),
        adam: Adam {
            first: next(),
            second: next(),
            steps: head.steps,
        },
    })
}
