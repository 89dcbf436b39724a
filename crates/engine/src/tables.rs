//! The views kept in the key-value store: their names, keys and values.
//!
//! Every key begins with the index number (big-endian), so that one index can be read,
//! or thrown away, as one range. Nothing here is the truth: the log is.

use crate::record::IndexNo;
use crate::{EngineError, Registry, RowNote, Task};
use domain::Timestamp;
use intake::{RoleReason, Roles};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{View, ViewBatch, ViewSnapshot, Views};

use crate::settings::Settings;

/// Names of the views, in the order of the constants below.
pub(crate) const NAMES: [&str; 8] = [
    "meta",
    "indexes",
    "documents",
    "tasks",
    "notes",
    "noted",
    "vectors",
    "meaning",
];
pub(crate) const META: View = View::at(0);
pub(crate) const INDEXES: View = View::at(1);
pub(crate) const DOCUMENTS: View = View::at(2);
pub(crate) const TASKS: View = View::at(3);
pub(crate) const NOTES: View = View::at(4);
/// Documents whose vectors have to be looked at, see `meaning::notes`.
pub(crate) const NOTED: View = View::at(5);
/// Which vector each item has.
pub(crate) const VECTORS: View = View::at(6);
/// What is kept of each embedder.
pub(crate) const MEANING: View = View::at(7);

/// Names of the views of what shoppers did and what is stated of them, which are a database of
/// their own; the first is [`META`] as well.
pub(crate) const SHOPPER_NAMES: [&str; 6] = [
    "meta",
    "event_ids",
    "profiles",
    "records",
    "feedback",
    "feedback_by_item",
];
pub(crate) const EVENT_IDS: View = View::at(1);
pub(crate) const PROFILES: View = View::at(2);
/// Records of shoppers, see `ledger`.
pub(crate) const SHOPPERS: View = View::at(3);
pub(crate) const FEEDBACK: View = View::at(4);
/// Leads from an item to its feedback.
pub(crate) const FEEDBACK_BY_ITEM: View = View::at(5);

/// Format of everything in the views. Views of another format are built anew from the log.
const FORMAT: u64 = 3;
const FORMAT_KEY: &[u8] = b"format";
const REGISTRY_KEY: &[u8] = b"registry";
const ERASING_KEY: &[u8] = b"erasing";

/// Whether this build can read the views; empty ones are marked as its own.
pub(crate) fn are_readable(views: &Views) -> Result<bool, EngineError> {
    let snapshot = views.snapshot();
    if let Some(format) = snapshot.get(META, FORMAT_KEY)? {
        return Ok(be_u64(&format) == Some(FORMAT));
    }
    if Applied::Catalogue.read(&snapshot)? > 0 || Applied::Events.read(&snapshot)? > 0 {
        return Ok(false);
    }
    let mut batch = views.batch();
    mark_format(&mut batch);
    batch.commit()?;
    Ok(true)
}

/// Marks views as of the format of this build.
pub(crate) fn mark_format(batch: &mut ViewBatch) {
    batch.put(META, FORMAT_KEY, FORMAT.to_be_bytes());
}

/// The records of erasures that have begun and not ended.
pub(crate) fn erasing(views: &ViewSnapshot) -> Result<Vec<u64>, EngineError> {
    match views.get(META, ERASING_KEY)? {
        Some(value) => from_json(&value),
        None => Ok(Vec::new()),
    }
}

pub(crate) fn put_erasing(batch: &mut ViewBatch, seqs: &[u64]) -> Result<(), EngineError> {
    batch.put(META, ERASING_KEY, to_json(&seqs)?);
    Ok(())
}

/// How far a view has applied the log: the next sequence number it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Catalogue,
    Events,
}

impl Applied {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Catalogue => b"catalogue",
            Self::Events => b"events",
        }
    }

    /// The next sequence number to apply; 0 for a new folder.
    pub(crate) fn read(self, views: &ViewSnapshot) -> Result<u64, EngineError> {
        let bytes = views.get(META, self.key())?;
        Ok(bytes.and_then(|bytes| be_u64(&bytes)).unwrap_or(0))
    }

    pub(crate) fn write(self, batch: &mut ViewBatch, next: u64) {
        batch.put(META, self.key(), next.to_be_bytes());
    }
}

impl Registry {
    pub(crate) fn put(&self, batch: &mut ViewBatch) -> Result<(), EngineError> {
        batch.put(META, REGISTRY_KEY, to_json(self)?);
        Ok(())
    }

    pub(crate) fn read(views: &ViewSnapshot) -> Result<Self, EngineError> {
        match views.get(META, REGISTRY_KEY)? {
            Some(value) => from_json(&value),
            None => Ok(Self::default()),
        }
    }
}

/// What is known of one index besides its documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IndexMeta {
    pub no: IndexNo,
    pub uid: String,
    /// The uid it was made with, by which its folder is named; `None` while it has it still.
    #[serde(default)]
    pub folder: Option<String>,
    pub primary_key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub settings: Settings,
    /// Roles guessed from the documents seen so far, in force where none are set.
    pub guessed: Roles,
    pub reasons: Vec<RoleReason>,
    /// Attributes that name an item to people who know it: its key, model or article number.
    pub identifiers: Vec<String>,
    /// Number of documents there were when the roles were guessed.
    pub guessed_at: u64,
    /// The roles with which the documents in the words index were cleaned.
    pub cleaned_with: Roles,
    /// In how many documents each top-level attribute occurs.
    pub fields: BTreeMap<String, u64>,
    /// Folder of the words index, below the index's own.
    pub words: String,
    /// The order number of the next new document.
    pub next_order: u64,
    /// The newest record that concerned the words of this index.
    pub last_seq: u64,
}

impl IndexMeta {
    pub(crate) fn put(&self, batch: &mut ViewBatch) -> Result<(), EngineError> {
        batch.put(INDEXES, self.no.0.to_be_bytes(), to_json(self)?);
        Ok(())
    }

    /// A number for a document that is new.
    pub(crate) fn take_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order - 1
    }

    pub(crate) fn delete(no: IndexNo, batch: &mut ViewBatch) {
        batch.delete(INDEXES, no.0.to_be_bytes());
    }

    pub(crate) fn all(views: &ViewSnapshot) -> Result<Vec<Self>, EngineError> {
        let mut metas = Vec::new();
        for entry in views.prefix(INDEXES, &[])? {
            let (_, value) = entry?;
            metas.push(from_json(&value)?);
        }
        Ok(metas)
    }
}

/// A stored document: its JSON, and what is known about this version.
#[derive(Clone)]
pub(crate) struct Document {
    /// The record that last replaced it whole: versions in records before are superseded.
    pub base: u64,
    /// Its place among the documents of the index, in the order of their first coming.
    pub order: u64,
    pub json: String,
}

impl Document {
    pub(crate) fn key(index: IndexNo, id: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(8 + id.len());
        key.extend_from_slice(&index.0.to_be_bytes());
        key.extend_from_slice(id.as_bytes());
        key
    }

    pub(crate) fn put(&self, batch: &mut ViewBatch, index: IndexNo, id: &str) {
        let mut value = Vec::with_capacity(16 + self.json.len());
        value.extend_from_slice(&self.base.to_be_bytes());
        value.extend_from_slice(&self.order.to_be_bytes());
        value.extend_from_slice(self.json.as_bytes());
        batch.put(DOCUMENTS, Self::key(index, id), value);
    }

    pub(crate) fn delete(batch: &mut ViewBatch, index: IndexNo, id: &str) {
        batch.delete(DOCUMENTS, Self::key(index, id));
    }

    pub(crate) fn get(
        views: &ViewSnapshot,
        index: IndexNo,
        id: &str,
    ) -> Result<Option<Self>, EngineError> {
        match views.get(DOCUMENTS, &Self::key(index, id))? {
            Some(value) => Self::decode(&value).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, EngineError> {
        let damaged = || damaged("a document");
        let (base, rest) = value.split_at_checked(8).ok_or_else(damaged)?;
        let (order, json) = rest.split_at_checked(8).ok_or_else(damaged)?;
        let base = be_u64(base).ok_or_else(damaged)?;
        let order = be_u64(order).ok_or_else(damaged)?;
        let json = std::str::from_utf8(json).map_err(|_| damaged())?.to_owned();
        Ok(Self { base, order, json })
    }

    /// The order in a value, without the rest.
    pub(crate) fn order_of(value: &[u8]) -> Result<u64, EngineError> {
        let order = value.get(8..16).and_then(be_u64);
        order.ok_or_else(|| damaged("a document"))
    }

    /// The id in a key of the documents view.
    pub(crate) fn id_of(key: &[u8]) -> Result<&str, EngineError> {
        let id = key.get(8..).ok_or_else(|| damaged("a document key"))?;
        std::str::from_utf8(id).map_err(|_| damaged("a document key"))
    }
}

impl Task {
    pub(crate) fn put(&self, batch: &mut ViewBatch) -> Result<(), EngineError> {
        batch.put(TASKS, self.uid.to_be_bytes(), to_json(self)?);
        Ok(())
    }

    /// Takes a task out, with the notes on its rows.
    pub(crate) fn delete(uid: u64, batch: &mut ViewBatch) {
        batch.delete(TASKS, uid.to_be_bytes());
        batch.delete(NOTES, uid.to_be_bytes());
    }

    pub(crate) fn get(views: &ViewSnapshot, uid: u64) -> Result<Option<Self>, EngineError> {
        match views.get(TASKS, &uid.to_be_bytes())? {
            Some(value) => from_json(&value).map(Some),
            None => Ok(None),
        }
    }
}

pub(crate) fn put_notes(
    batch: &mut ViewBatch,
    task: u64,
    notes: &[RowNote],
) -> Result<(), EngineError> {
    if !notes.is_empty() {
        batch.put(NOTES, task.to_be_bytes(), to_json(&notes)?);
    }
    Ok(())
}

pub(crate) fn notes(views: &ViewSnapshot, task: u64) -> Result<Vec<RowNote>, EngineError> {
    match views.get(NOTES, &task.to_be_bytes())? {
        Some(value) => from_json(&value),
        None => Ok(Vec::new()),
    }
}

/// Deletes every key of one index from the views that are ordered by index, but for those of
/// what shoppers did.
pub(crate) fn delete_index(
    views: &ViewSnapshot,
    batch: &mut ViewBatch,
    index: IndexNo,
) -> Result<(), EngineError> {
    for entry in views.prefix(DOCUMENTS, &index.0.to_be_bytes())? {
        let (key, _) = entry?;
        batch.delete(DOCUMENTS, key);
    }
    IndexMeta::delete(index, batch);
    crate::shelf::delete(batch, index);
    crate::meaning::delete_index(views, batch, index)
}

/// A value as JSON text, for a record of the log.
pub(crate) fn to_text<T: Serialize>(value: &T) -> Result<String, EngineError> {
    serde_json::to_string(value).map_err(|err| EngineError::View {
        what: "a value",
        reason: err.to_string(),
    })
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(value).map_err(|err| EngineError::View {
        what: "a value",
        reason: err.to_string(),
    })
}

#[cfg(test)]
thread_local! {
    /// JSON values that this thread has parsed: what an answer costs, for tests.
    pub(crate) static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, EngineError> {
    #[cfg(test)]
    PARSED.set(PARSED.get() + 1);
    serde_json::from_slice(bytes).map_err(|err| EngineError::View {
        what: "a value",
        reason: err.to_string(),
    })
}

pub(crate) fn be_u64(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn damaged(what: &'static str) -> EngineError {
    EngineError::View {
        what,
        reason: "it is damaged".to_owned(),
    }
}
