//! The models that can be pulled by name.
//!
//! The table itself is data, in `known.json` beside this file: where the files come from, and
//! the SHA-256 of those whose bytes are the same everywhere. Weights and tokenizers always are.

use serde::Deserialize;
use std::sync::LazyLock;

const TABLE: &str = include_str!("known.json");

/// A model that can be pulled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub name: String,
    pub about: String,
    /// The repository on the model hub, if it is there.
    pub hub: Option<String>,
    pub package: Package,
    pub files: Vec<KnownFile>,
}

/// The Python package that carries the same files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// Where the files stand in the package, with a `/` at the end.
    pub folder: String,
    pub bytes: u64,
}

/// One file of a model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// Relative, with `/` between its parts.
    pub path: String,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
}

/// All models that can be pulled.
pub fn all() -> &'static [Known] {
    static KNOWN: LazyLock<Vec<Known>> =
        LazyLock::new(|| serde_json::from_str(TABLE).expect("known.json is part of the program"));
    &KNOWN
}

/// The model of this name.
pub fn find(name: &str) -> Option<&'static Known> {
    all().iter().find(|known| known.name == name)
}

/// The names of all models, as a sentence lists them.
pub fn names() -> String {
    let quoted: Vec<String> = all()
        .iter()
        .map(|known| format!("`{}`", known.name))
        .collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_pinned_weights_and_plain_paths() {
        for known in all() {
            assert!(engine::ModelName::new(&known.name).is_ok(), "{known:?}");
            assert!(
                known
                    .files
                    .iter()
                    .any(|file| file.bytes.is_some_and(|bytes| bytes > 10_000_000)
                        && file.sha256.is_some()),
                "{known:?}"
            );
            for file in &known.files {
                assert!(!file.path.split('/').any(|part| part.starts_with('.')));
                assert!(file.sha256.as_ref().is_none_or(|hash| hash.len() == 64));
            }
        }
        assert_eq!(names(), "`minilm`, `e5`");
    }
}
