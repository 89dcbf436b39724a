//! Where things stand in a data folder.
//!
//! `log/` is the truth, `views/` and `shoppers/` the key-value views, `indexes/<uid>.<number>/` the
//! words index, the vectors and the models of each index. The number tells an index from a
//! deleted one of the same name. `dumps/` and `snapshots/` hold backups.

use crate::tables::IndexMeta;
use std::fs;
use std::path::{Path, PathBuf};

/// File names have 255 bytes at most; a uid may be longer.
const UID_IN_NAME: usize = 100;

pub(crate) fn log(dir: &Path) -> PathBuf {
    dir.join("log")
}

pub(crate) fn views(dir: &Path) -> PathBuf {
    dir.join("views")
}

/// Views of what shoppers did, see [`crate::shoppers`].
pub(crate) fn shoppers(dir: &Path) -> PathBuf {
    dir.join("shoppers")
}

pub(crate) fn indexes(dir: &Path) -> PathBuf {
    dir.join("indexes")
}

pub(crate) fn dumps(dir: &Path) -> PathBuf {
    dir.join("dumps")
}

pub(crate) fn snapshots(dir: &Path) -> PathBuf {
    dir.join("snapshots")
}

/// The folder of one index.
pub(crate) fn index(dir: &Path, meta: &IndexMeta) -> PathBuf {
    let uid = meta.folder.as_ref().unwrap_or(&meta.uid);
    let uid: String = uid.chars().take(UID_IN_NAME).collect();
    indexes(dir).join(format!("{uid}.{}", meta.no.0))
}

/// The folder of its words.
pub(crate) fn words(dir: &Path, meta: &IndexMeta) -> PathBuf {
    index(dir, meta).join(&meta.words)
}

/// The folder of the vectors of one embedder; the epoch tells it from those before.
pub(crate) fn vectors(dir: &Path, meta: &IndexMeta, embedder: &str, epoch: u64) -> PathBuf {
    // Names come from settings, and a folder must not lead anywhere else.
    let plain = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '-',
    };
    let name: String = embedder.chars().take(UID_IN_NAME).map(plain).collect();
    let hash = xxhash_rust::xxh3::xxh3_64(embedder.as_bytes());
    index(dir, meta).join(format!("vectors-{name}-{hash:016x}-{epoch}"))
}

/// Whether a folder inside an index's own has vectors.
pub(crate) fn has_vectors(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("vectors-"))
}

/// The file of its sequence model.
pub(crate) fn model(dir: &Path, meta: &IndexMeta) -> PathBuf {
    index(dir, meta).join("sequence.model")
}

/// The folder of the models of an index that were trained elsewhere.
pub(crate) fn models(dir: &Path, meta: &IndexMeta) -> PathBuf {
    index(dir, meta).join("models")
}

/// The folder of one of them.
pub(crate) fn trained(dir: &Path, meta: &IndexMeta, kind: &str, number: u32) -> PathBuf {
    models(dir, meta).join(kind).join(number.to_string())
}

/// The name of a file inside a data folder, the same on every system.
pub(crate) fn name_inside(dir: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(dir).unwrap_or(path).iter();
    let parts: Vec<_> = inside.map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// What a folder holds; nothing when it cannot be read.
pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Bytes of all files below a folder; what cannot be read counts nothing.
pub(crate) fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let mut bytes = 0;
    for entry in entries.flatten() {
        bytes += match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
    }
    bytes
}
