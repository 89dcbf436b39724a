//! The folder of a model: what it is made of, and in which order it is written.

use super::card::card;
use super::figures::figures;
use super::{Model, Report};
use crate::checkpoint::write_beside;
use crate::error::TrainError;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

pub(crate) fn write(model: &Model, to: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(to).map_err(|source| TrainError::Write {
        path: to.to_owned(),
        source,
    })?;
    let weights = model.weights.to_safetensors();
    let write = |name: &str, bytes: &[u8]| write_beside(&to.join(name), bytes);
    write("model.safetensors", &weights)?;
    write(
        "items.json",
        &serde_json::to_vec(&model.items).map_err(TrainError::Head)?,
    )?;
    write("fields.json", &model.fields.to_json()?)?;
    write("metrics.json", &metrics(&model.report)?)?;
    for (name, svg) in figures(model) {
        write(name, svg.as_bytes())?;
    }
    write("card.md", card(model, &sha256(&weights)).as_bytes())?;
    write("config.json", &model.weights.config().to_json()?)
}

fn metrics(report: &Report) -> Result<Vec<u8>, TrainError> {
    // Compact, because the registry keeps it in the log.
    let mut json = serde_json::to_vec(report).map_err(TrainError::Head)?;
    json.push(b'\n');
    Ok(json)
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
