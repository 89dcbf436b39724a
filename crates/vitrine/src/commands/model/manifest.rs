//! What a model folder should hold, and whether it does.
//!
//! When a model is installed, the size and hash of each file are written into the folder. A
//! folder that was laid by hand has no such list; of a known model the table says what its
//! weights must be, and any other is tried by opening it.

use super::known::{self, Known};
use super::{install, sha256};
use anyhow::{Context as _, bail};
use engine::ModelName;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The name of the list in a model folder.
pub const FILE: &str = "vitrine-model.json";
const FORMAT: &str = "vitrine-model";
const VERSION: u32 = 1;

/// The list of the files of a model.
#[derive(Debug, Deserialize, Serialize)]
pub struct Manifest {
    format: String,
    version: u32,
    /// Where the files came from.
    pub source: String,
    pub files: Vec<Entry>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Entry {
    /// Relative, with `/` between its parts.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// How closely a model is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// The sizes of the files.
    Sizes,
    /// Every byte.
    Hashes,
}

impl Manifest {
    /// Lists files of a folder with their sizes and hashes.
    pub fn of(folder: &Path, paths: &[String], source: &str) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            let file = folder.join(path);
            let bytes = size(&file)?;
            let sha256 = sha256::of_file(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            files.push(Entry {
                path: path.clone(),
                bytes,
                sha256,
            });
        }
        Ok(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            source: source.to_owned(),
            files,
        })
    }

    /// Writes the list into the folder.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self)?;
        fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    /// The list of a folder, if it has one.
    fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let manifest: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            bail!(
                "{} is {} {}, but this build reads {FORMAT} {VERSION}",
                path.display(),
                manifest.format,
                manifest.version
            );
        }
        Ok(Some(manifest))
    }

    /// Refuses files that are not the known ones of this name.
    pub fn must_match(&self, known: &Known) -> anyhow::Result<()> {
        for file in &known.files {
            let Some(entry) = self.files.iter().find(|entry| entry.path == file.path) else {
                bail!("`{}` of model `{}` is missing", file.path, known.name);
            };
            if let Some(expected) = file
                .sha256
                .as_ref()
                .filter(|expected| **expected != entry.sha256)
            {
                bail!(
                    "`{}` is not that of model `{}`: its SHA-256 is {}, but should be {expected}",
                    file.path,
                    known.name,
                    entry.sha256
                );
            }
        }
        Ok(())
    }
}

/// Checks an installed model; the error says what is wrong.
pub fn check(name: &ModelName, folder: &Path, look: Look) -> anyhow::Result<()> {
    let known = known::find(name.as_str());
    match (Manifest::read(folder)?, known) {
        (Some(manifest), _) => {
            for entry in &manifest.files {
                check_file(folder, &entry.path, Some(entry.bytes), &entry.sha256, look)?;
            }
            match (known, look) {
                (Some(known), Look::Hashes) => manifest.must_match(known),
                _ => Ok(()),
            }
        }
        (None, Some(known)) => {
            for file in &known.files {
                let hash = file.sha256.as_deref().unwrap_or_default();
                check_file(folder, &file.path, file.bytes, hash, look)?;
            }
            Ok(())
        }
        (None, None) if look == Look::Hashes => install::try_open(folder),
        (None, None) => Ok(()),
    }
}

/// Compares what is known of a file; an empty hash is none.
fn check_file(
    folder: &Path,
    path: &str,
    bytes: Option<u64>,
    hash: &str,
    look: Look,
) -> anyhow::Result<()> {
    let file = folder.join(path);
    let found = size(&file)?;
    if let Some(expected) = bytes.filter(|expected| *expected != found) {
        bail!("`{path}` has {found} bytes, but should have {expected}");
    }
    if look == Look::Hashes && !hash.is_empty() {
        let found =
            sha256::of_file(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if found != hash {
            bail!("the SHA-256 of `{path}` is {found}, but should be {hash}");
        }
    }
    Ok(())
}

fn size(file: &Path) -> anyhow::Result<u64> {
    let meta = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !meta.is_file() {
        bail!("{} is no file", file.display());
    }
    Ok(meta.len())
}
