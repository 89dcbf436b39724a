//! The shelf of an index: models that were trained elsewhere, and which of them is live.
//!
//! What is on the shelf is a record of the log, so that backups and restarts know it. The
//! files lie in the folder of the index, and backups take them along. A model whose files are
//! missing or damaged is told, and recommendations do without it.

mod change;
mod files;
mod live;
mod shadow;
mod trial;

pub use files::MODEL_FILES;
pub(crate) use live::{LiveAffinity, PastEvent};
pub(crate) use shadow::Shadows;
pub use trial::Comparison;
pub(crate) use trial::{FIRST, Look, Trial, hash_of};

use crate::record::IndexNo;
use crate::shared::Shared;
use crate::snapshot::IndexReader;
use crate::tables::{IndexMeta, META, from_json};
use crate::{EngineError, folder};
use arc_swap::{ArcSwap, ArcSwapOption};
use domain::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use store::{BackupFile, ViewBatch, ViewSnapshot};

/// The one kind of model there is.
pub(crate) const AFFINITY: &str = "affinity";

/// What a model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelState {
    /// It was added and answers nobody yet.
    Candidate,
    /// It ranks beside the live one, unseen, and is compared with it.
    Shadow,
    /// It answers.
    Live,
    /// It was live.
    Retired,
}

impl ModelState {
    /// The word used in all interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }
}

/// One model of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelEntry {
    /// Its kind and number, such as `affinity-3`.
    pub id: String,
    pub kind: String,
    pub number: u32,
    pub state: ModelState,
    pub created_at: Timestamp,
    /// `metrics.json` of its folder; `null` without one.
    pub metrics: Value,
    /// Of the list of its files with theirs, as `sha256sum * | sha256sum` prints it in its
    /// folder.
    pub sha256: String,
    /// Orders the models that a rollback can go back to; 0 for those it cannot.
    pub turn: u64,
    /// Present where it may have been trained on shoppers who were erased since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saw_erased: Option<SawErased>,
    /// How it did as a shadow, once it has been one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Shoppers who were erased after a model had been trained on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SawErased {
    pub shoppers: u32,
    /// When the last of them was erased.
    pub last: Timestamp,
}

/// The models of one index in memory.
#[derive(Default)]
pub(crate) struct Shelf {
    /// As of the last record appended, in the order in which they were added.
    entries: ArcSwap<Vec<ModelEntry>>,
    live: ArcSwapOption<LiveAffinity>,
    shadow: ArcSwapOption<LiveAffinity>,
    pub trial: Trial,
    /// The right to change something, from looking at it to its being in force; in it the
    /// models that are live or the shadow by the log and could not be opened.
    turn: Mutex<BTreeSet<String>>,
}

impl Shelf {
    pub(crate) fn entries(&self) -> Arc<Vec<ModelEntry>> {
        self.entries.load_full()
    }

    /// The model that answers now.
    pub(crate) fn live(&self) -> Option<Arc<LiveAffinity>> {
        self.live.load_full()
    }

    /// The model that ranks beside it.
    pub(crate) fn shadow(&self) -> Option<Arc<LiveAffinity>> {
        self.shadow.load_full()
    }

    /// Lets the model answer that the log says is live, over the catalogue of now, and the
    /// shadow rank beside it. A model that cannot be opened is told once, and nothing takes its
    /// place.
    pub(crate) fn renew(&self, reader: &IndexReader) {
        // A promotion that is on its way does the same.
        let Some(mut faults) = self.turn.try_lock() else {
            return;
        };
        for entry in self.entries().iter() {
            let ready = match entry.state {
                ModelState::Live => &self.live,
                ModelState::Shadow => &self.shadow,
                ModelState::Candidate | ModelState::Retired => continue,
            };
            if faults.contains(&entry.id) {
                continue;
            }
            let current = ready.load_full().filter(|model| model.id == entry.id);
            let renewed = match current {
                Some(model) => model.renewed(reader),
                None => LiveAffinity::open(reader, entry).map(Some),
            };
            match renewed {
                Ok(Some(model)) => ready.store(Some(Arc::new(model))),
                Ok(None) => {}
                Err(err) => {
                    tracing::error!(
                        index = reader.state.meta.uid,
                        model = entry.id,
                        state = entry.state.as_str(),
                        error = &err as &dyn std::error::Error,
                        "a model cannot be used; recommendations do without it"
                    );
                    ready.store(None);
                    faults.insert(entry.id.clone());
                }
            }
            if entry.state == ModelState::Shadow {
                let folder = reader.model_folder(&entry.kind, entry.number);
                self.trial.begin(&entry.id, folder);
            }
        }
    }

    /// Puts what a record says in the place of what was there.
    pub(crate) fn set(&self, list: &str) -> Result<(), EngineError> {
        self.entries.store(Arc::new(from_json(list.as_bytes())?));
        Ok(())
    }

    /// Reads what the views have.
    pub(crate) fn read(&self, views: &ViewSnapshot, no: IndexNo) -> Result<(), EngineError> {
        if let Some(list) = views.get(META, &key(no))? {
            self.entries.store(Arc::new(from_json(&list)?));
        }
        Ok(())
    }
}

/// Removes the folders of models that no record knows: left by a crash.
pub(crate) fn remove_strays(shared: &Shared, meta: &IndexMeta) {
    let entries = shared.behaviour(meta.no).shelf.entries();
    let known: Vec<PathBuf> = entries
        .iter()
        .map(|entry| folder::trained(&shared.dir, meta, &entry.kind, entry.number))
        .collect();
    for kind in folder::entries(&folder::models(&shared.dir, meta)) {
        for model in folder::entries(&kind) {
            if !known.contains(&model) {
                let _ = fs::remove_dir_all(model);
            }
        }
    }
}

/// The files of all models of all indexes, for a backup. Once they are there they never change.
pub(crate) fn to_back_up(shared: &Shared) -> Vec<BackupFile> {
    let mut files = Vec::new();
    for state in shared.published.load_full().indexes.values() {
        for entry in state.behaviour.shelf.entries().iter() {
            let folder = folder::trained(&shared.dir, &state.meta, &entry.kind, entry.number);
            for file in MODEL_FILES {
                let path = folder.join(file);
                // A model need not have every file.
                if path.exists() {
                    let name = folder::name_inside(&shared.dir, &path);
                    files.push(BackupFile { name, path });
                }
            }
        }
    }
    files
}

/// Puts the list of an index into the views.
pub(crate) fn put(batch: &mut ViewBatch, no: IndexNo, list: &str) {
    batch.put(META, key(no), list.as_bytes());
}

/// Takes it out.
pub(crate) fn delete(batch: &mut ViewBatch, no: IndexNo) {
    batch.delete(META, key(no));
}

fn key(no: IndexNo) -> Vec<u8> {
    let mut key = b"models/".to_vec();
    key.extend_from_slice(&no.0.to_be_bytes());
    key
}
