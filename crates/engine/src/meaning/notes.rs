//! The views of this part: notes of documents that were written, and which vector each item has.
//!
//! A note has the sequence number of its record in its key. The worker deletes exactly the notes it
//! has followed, so a document that is written again meanwhile keeps its newer note.

use crate::EngineError;
use crate::record::IndexNo;
use crate::tables::{MEANING, NOTED, VECTORS, be_u64, from_json, to_json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{ViewBatch, ViewSnapshot};

/// What makes the vectors of an embedder whose vectors the shop gives.
pub(super) const GIVEN: &str = "given";

/// A document was written, or an item deleted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    pub seq: u64,
    pub number: u64,
    pub id: String,
}

impl Note {
    fn key(&self, index: IndexNo) -> [u8; 24] {
        key(index, self.seq, self.number)
    }

    pub(crate) fn put(&self, batch: &mut ViewBatch, index: IndexNo) {
        batch.put(NOTED, self.key(index), self.id.as_bytes());
    }

    pub(super) fn delete(&self, batch: &mut ViewBatch, index: IndexNo) {
        batch.delete(NOTED, self.key(index));
    }

    /// The oldest notes of an index, at most so many.
    pub(super) fn oldest(
        views: &ViewSnapshot,
        index: IndexNo,
        most: usize,
    ) -> Result<Vec<Self>, EngineError> {
        let mut notes = Vec::new();
        for entry in views.prefix(NOTED, &index.0.to_be_bytes())?.take(most) {
            let (key, id) = entry?;
            if let (Some((_, seq, number)), Ok(id)) = (parts(&key), std::str::from_utf8(&id)) {
                let id = id.to_owned();
                notes.push(Self { seq, number, id });
            }
        }
        Ok(notes)
    }

    /// How many notes an index has.
    pub(super) fn count(views: &ViewSnapshot, index: IndexNo) -> Result<u64, EngineError> {
        let mut count = 0;
        for entry in views.prefix(NOTED, &index.0.to_be_bytes())? {
            entry?;
            count += 1;
        }
        Ok(count)
    }
}

/// What is kept of an embedder besides its vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Number of the folder and of the entries; another one for every fresh start.
    pub epoch: u64,
    /// What the vectors are made by: those made by something else are of no use.
    pub maker: String,
    /// How items are described: described otherwise, texts are looked at again.
    pub description: String,
    pub dimensions: usize,
    /// Slots that are durable and stand in the view.
    pub slots: u32,
    /// Whether every document there was at the start has been looked at.
    pub complete: bool,
    /// How many documents there were when the model was chosen.
    pub sampled_at: u64,
}

impl Kept {
    /// The name of the model, unless the shop gives the vectors.
    pub(crate) fn model(&self) -> Option<&str> {
        let name = self.maker.split(' ').next()?;
        (name != GIVEN).then_some(name)
    }

    pub(crate) fn all(
        views: &ViewSnapshot,
        index: IndexNo,
    ) -> Result<BTreeMap<String, Self>, EngineError> {
        let mut kept = BTreeMap::new();
        for entry in views.prefix(MEANING, &index.0.to_be_bytes())? {
            let (key, value) = entry?;
            let name = key.get(8..).unwrap_or_default();
            kept.insert(
                String::from_utf8_lossy(name).into_owned(),
                from_json(&value)?,
            );
        }
        Ok(kept)
    }

    pub(super) fn put(
        &self,
        batch: &mut ViewBatch,
        index: IndexNo,
        name: &str,
    ) -> Result<(), EngineError> {
        batch.put(MEANING, named(index, name), to_json(self)?);
        Ok(())
    }

    pub(super) fn delete(batch: &mut ViewBatch, index: IndexNo, name: &str) {
        batch.delete(MEANING, named(index, name));
    }
}

fn named(index: IndexNo, name: &str) -> Vec<u8> {
    [&index.0.to_be_bytes(), name.as_bytes()].concat()
}

/// The vector of one item: its slot, and the hash of what it was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub number: u64,
    pub slot: u32,
    pub hash: u64,
}

impl Entry {
    pub(super) fn put(self, batch: &mut ViewBatch, index: IndexNo, epoch: u64) {
        let mut value = self.slot.to_be_bytes().to_vec();
        value.extend_from_slice(&self.hash.to_be_bytes());
        batch.put(VECTORS, key(index, epoch, self.number), value);
    }

    pub(super) fn delete(number: u64, batch: &mut ViewBatch, index: IndexNo, epoch: u64) {
        batch.delete(VECTORS, key(index, epoch, number));
    }

    /// Every entry of an epoch.
    pub(super) fn all(
        views: &ViewSnapshot,
        index: IndexNo,
        epoch: u64,
    ) -> Result<Vec<Self>, EngineError> {
        let prefix = [index.0.to_be_bytes(), epoch.to_be_bytes()].concat();
        let mut entries = Vec::new();
        for entry in views.prefix(VECTORS, &prefix)? {
            let (key, value) = entry?;
            let Some((_, _, number)) = parts(&key) else {
                continue;
            };
            if let Some((slot, hash)) = value.split_at_checked(4)
                && let (Ok(slot), Some(hash)) = (slot.try_into(), be_u64(hash))
            {
                let slot = u32::from_be_bytes(slot);
                entries.push(Self { number, slot, hash });
            }
        }
        Ok(entries)
    }
}

/// Deletes everything of one index.
pub(crate) fn delete_index(
    views: &ViewSnapshot,
    batch: &mut ViewBatch,
    index: IndexNo,
) -> Result<(), EngineError> {
    for view in [NOTED, VECTORS, MEANING] {
        for entry in views.prefix(view, &index.0.to_be_bytes())? {
            batch.delete(view, entry?.0);
        }
    }
    Ok(())
}

/// Deletes the entries of one epoch.
pub(super) fn delete_epoch(
    views: &ViewSnapshot,
    batch: &mut ViewBatch,
    index: IndexNo,
    epoch: u64,
) -> Result<(), EngineError> {
    let prefix = [index.0.to_be_bytes(), epoch.to_be_bytes()].concat();
    for entry in views.prefix(VECTORS, &prefix)? {
        batch.delete(VECTORS, entry?.0);
    }
    Ok(())
}

fn key(index: IndexNo, second: u64, number: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&index.0.to_be_bytes());
    key[8..16].copy_from_slice(&second.to_be_bytes());
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

fn parts(key: &[u8]) -> Option<(u64, u64, u64)> {
    let (index, rest) = key.split_at_checked(8)?;
    let (second, number) = rest.split_at_checked(8)?;
    Some((be_u64(index)?, be_u64(second)?, be_u64(number)?))
}
