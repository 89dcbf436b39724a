//! The files of a model: taken into the data folder as a whole or not at all, and told from
//! damaged ones by their sums.

use super::Comparison;
use crate::EngineError;
use models::affinity::{AffinityFiles, Fields};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The files that belong to a model; others in its folder are left where they are.
pub const MODEL_FILES: [&str; 6] = [
    "card.md",
    "config.json",
    "fields.json",
    "items.json",
    "metrics.json",
    "model.safetensors",
];
/// `metrics.json` stands in the log, so it must be short.
const MOST_METRICS: u64 = 64 << 10;

/// More of a card is not shown.
const MOST_CARD: u64 = 256 << 10;

fn io(path: &Path) -> impl Fn(io::Error) -> EngineError {
    let path = path.to_owned();
    move |source| EngineError::Folder {
        path: path.clone(),
        source,
    }
}

fn unusable(path: &Path, reason: impl Into<String>) -> EngineError {
    EngineError::ModelUnusable {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// Copies the files of a model to `target`, durable, if they can be opened; gives their sum.
pub(super) fn take_in(from: &Path, target: &Path) -> Result<String, EngineError> {
    let beside = target.with_extension("new");
    // Whatever a crash left there: no record knows it.
    for left in [&beside, target] {
        if left.exists() {
            fs::remove_dir_all(left).map_err(io(left))?;
        }
    }
    fs::create_dir_all(&beside).map_err(io(&beside))?;
    let copied = copy(from, &beside)
        .and_then(|()| check(&beside))
        .and_then(|()| sum(&beside));
    let sum = match copied {
        Ok(sum) => sum,
        Err(err) => {
            let _ = fs::remove_dir_all(&beside);
            return Err(err);
        }
    };
    fs::rename(&beside, target).map_err(io(target))?;
    // The folder's name is durable once the folders above it are.
    for folder in target.ancestors().skip(1).take(3) {
        sync(folder).map_err(io(folder))?;
    }
    Ok(sum)
}

fn copy(from: &Path, to: &Path) -> Result<(), EngineError> {
    for name in MODEL_FILES {
        let (source, target) = (from.join(name), to.join(name));
        if !source.exists() {
            continue;
        }
        fs::copy(&source, &target).map_err(io(&source))?;
        sync(&target).map_err(io(&target))?;
    }
    sync(to).map_err(io(to))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether a folder holds a model of this build.
fn check(dir: &Path) -> Result<(), EngineError> {
    let files = AffinityFiles::read(dir)?;
    Fields::read(dir, files.weights.config())?;
    Ok(())
}

/// `metrics.json`, if there is one.
pub(super) fn metrics(dir: &Path) -> Result<Value, EngineError> {
    let path = dir.join("metrics.json");
    if !path.exists() {
        return Ok(Value::Null);
    }
    let file = File::open(&path).map_err(io(&path))?;
    let mut bytes = Vec::new();
    let read = file.take(MOST_METRICS + 1).read_to_end(&mut bytes);
    if read.map_err(io(&path))? as u64 > MOST_METRICS {
        return Err(unusable(
            &path,
            format!("it has more than {MOST_METRICS} bytes"),
        ));
    }
    serde_json::from_slice(&bytes).map_err(|err| unusable(&path, err.to_string()))
}

/// Where the numbers of a shadow are kept. They change, so they are no part of the model.
fn comparison_file(dir: &Path) -> PathBuf {
    dir.join("comparison.json")
}

/// The numbers of a shadow as they were kept last; what cannot be read counts as nothing.
pub(super) fn comparison(dir: &Path) -> Option<Comparison> {
    let mut bytes = Vec::new();
    let file = File::open(comparison_file(dir)).ok()?;
    file.take(MOST_METRICS).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes beside and renames, so that a crash leaves the old numbers or the new ones.
pub(super) fn keep_comparison(dir: &Path, comparison: &Comparison) -> Result<(), EngineError> {
    let path = comparison_file(dir);
    let beside = path.with_extension("new");
    let text = crate::tables::to_text(comparison)?;
    fs::write(&beside, text).map_err(io(&beside))?;
    fs::rename(&beside, &path).map_err(io(&path))
}

/// Removes them; a model that becomes the shadow again starts anew.
pub(super) fn remove_comparison(dir: &Path) {
    let _ = fs::remove_file(comparison_file(dir));
}

/// The beginning of `card.md`, if it is there and can be read.
pub(super) fn card(dir: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(dir.join("card.md")).ok()?;
    file.take(MOST_CARD).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The sum of all files, in the form of `sha256sum * | sha256sum`.
pub(super) fn sum(dir: &Path) -> Result<String, EngineError> {
    let mut list = String::new();
    for name in MODEL_FILES {
        let path = dir.join(name);
        if path.exists() {
            let mut hash = Sha256::new();
            let mut file = File::open(&path).map_err(io(&path))?;
            let mut part = vec![0; 1 << 16];
            loop {
                let length = file.read(&mut part).map_err(io(&path))?;
                if length == 0 {
                    break;
                }
                hash.update(&part[..length]);
            }
            // Writing to a string cannot fail.
            let _ = writeln!(list, "{}  {name}", hex(&hash.finalize()));
        }
    }
    Ok(hex(&Sha256::digest(list.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Refuses files that are missing or not those that were taken in.
pub(super) fn check_sum(dir: &Path, expected: &str) -> Result<(), EngineError> {
    if !dir.exists() {
        return Err(unusable(dir, "it is missing"));
    }
    match sum(dir)? == expected {
        true => Ok(()),
        false => Err(unusable(dir, "its files are not those that were added")),
    }
}
