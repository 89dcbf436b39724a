//! The folder of a trained model: `model.safetensors`, `config.json` and `items.json`. What it
//! says beside them (`metrics.json`, `card.md`) is for people and is not read here.

use super::config::AffinityConfig;
use super::error::AffinityError;
use super::fields::Fields;
use super::serve::Affinity;
use super::weights::AffinityWeights;
use kernels::{Cpu, Format};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";
const ITEMS: &str = "items.json";
const FIELDS: &str = "fields.json";

/// A trained model as its folder has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AffinityFiles {
    pub weights: AffinityWeights,
    /// The ids of items in the order of the rows of `item.id`.
    pub items: Vec<String>,
}

impl AffinityFiles {
    /// Reads a folder.
    ///
    /// # Errors
    /// Names the file that cannot be read or used, and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, AffinityError> {
        let config = read(folder, CONFIG, AffinityConfig::from_json)?;
        let rows = config.items;
        let items = read(folder, ITEMS, |json| read_items(json, rows))?;
        let weights = read(folder, WEIGHTS, |bytes| {
            AffinityWeights::from_safetensors(config, bytes)
        })?;
        Ok(Self { weights, items })
    }

    /// Writes a folder that is there. The settings come last: a folder that was left half
    /// written has none and is refused.
    ///
    /// # Errors
    /// When the ids do not agree with the settings, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), AffinityError> {
        let config = self.weights.config();
        check_items(&self.items, config.items)?;
        let items = serde_json::to_vec(&self.items).map_err(AffinityError::Json)?;
        write(folder, WEIGHTS, &self.weights.to_safetensors())?;
        write(folder, ITEMS, &items)?;
        write(folder, CONFIG, &config.to_json()?)
    }
}

impl Fields {
    /// Reads the fields of a model; `None` for a model without fields.
    ///
    /// # Errors
    /// When the file cannot be read or used, or does not fit the settings.
    pub fn read(folder: &Path, config: &AffinityConfig) -> Result<Option<Self>, AffinityError> {
        if config.fields.is_empty() {
            return Ok(None);
        }
        let parse = |json: &[u8]| {
            let fields = Self::from_json(json)?;
            fields.check(config)?;
            Ok(fields)
        };
        read(folder, FIELDS, parse).map(Some)
    }
}

impl Affinity {
    /// Reads the folder of a trained model and packs it; with it come the ids of its items in
    /// the order of their rows.
    ///
    /// # Errors
    /// Names the file that cannot be read or used, and what is wrong with it.
    pub fn open(
        folder: &Path,
        cpu: Cpu,
        format: Format,
    ) -> Result<(Self, Vec<String>), AffinityError> {
        let files = AffinityFiles::read(folder)?;
        Ok((Self::new(&files.weights, cpu, format), files.items))
    }
}

fn read<T>(
    folder: &Path,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, AffinityError>,
) -> Result<T, AffinityError> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => parse(&bytes).map_err(|source| AffinityError::File {
            path,
            source: Box::new(source),
        }),
        Err(source) => Err(AffinityError::Read { path, source }),
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), AffinityError> {
    let path = folder.join(name);
    fs::write(&path, bytes).map_err(|source| AffinityError::Write { path, source })
}

fn read_items(json: &[u8], rows: usize) -> Result<Vec<String>, AffinityError> {
    let items: Vec<String> = serde_json::from_slice(json).map_err(AffinityError::Json)?;
    check_items(&items, rows)?;
    Ok(items)
}

/// One id for each row, each once.
fn check_items(items: &[String], rows: usize) -> Result<(), AffinityError> {
    if items.len() != rows {
        return Err(AffinityError::Items {
            found: items.len(),
            expected: rows,
        });
    }
    let mut first = HashMap::new();
    for (row, id) in items.iter().enumerate() {
        if let Some(first) = first.insert(id, row) {
            return Err(AffinityError::SameItem {
                id: id.clone(),
                first,
                second: row,
            });
        }
    }
    Ok(())
}
