//! The views of what shoppers did: their profiles, and the ids of their events; and of what is
//! stated of them, see `ledger`.
//!
//! They stand in a database of their own, so that it can be exchanged as a whole. Nothing that
//! is deleted from a database is off the disk at once; to erase a shopper, a new database is
//! written without them and the old one is removed. Each has a number, and the highest is the
//! one in use.

use crate::behaviour::Behaviour;
use crate::event_ids::EventKey;
use crate::record::IndexNo;
use crate::tables::{
    self, Applied, EVENT_IDS, FEEDBACK, FEEDBACK_BY_ITEM, PROFILES, SHOPPER_NAMES, SHOPPERS,
};
use crate::{EngineError, folder, ledger};
use domain::UserId;
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Bytes, ViewBatch, ViewSnapshot, Views, ViewsError};

/// Opens the newest database that can be read and removes all others; makes the first one.
pub(crate) fn open(dir: &Path) -> Result<Views, EngineError> {
    let mut numbers = numbers(dir);
    let next = numbers.last().map_or(1, |(number, _)| number + 1);
    let mut opened = None;
    while let Some((_, path)) = numbers.pop() {
        if opened.is_none() {
            opened = readable(&path)?;
            if opened.is_some() {
                continue;
            }
        }
        Views::destroy(&path)?;
    }
    match opened {
        Some(views) => Ok(views),
        None => make(&path(dir, next)),
    }
}

/// The views in a folder; `None` where they are damaged or of another format.
fn readable(path: &Path) -> Result<Option<Views>, EngineError> {
    match Views::open(path, &SHOPPER_NAMES) {
        Ok(views) if tables::are_readable(&views)? => Ok(Some(views)),
        Ok(_) => {
            tracing::warn!("profiles have another format; folding them anew from the log");
            Ok(None)
        }
        Err(err @ ViewsError::Damaged { .. }) => {
            tracing::warn!(
                error = &err as &dyn std::error::Error,
                "profiles cannot be read; folding them anew from the log"
            );
            Ok(None)
        }
        Err(err) => Err(err.into()),
    }
}

fn make(path: &Path) -> Result<Views, EngineError> {
    let views = Views::open(path, &SHOPPER_NAMES)?;
    tables::are_readable(&views)?;
    Ok(views)
}

fn path(dir: &Path, number: u64) -> PathBuf {
    folder::shoppers(dir).join(number.to_string())
}

/// The databases there are, by number.
fn numbers(dir: &Path) -> Vec<(u64, PathBuf)> {
    let mut found = Vec::new();
    for path in folder::entries(&folder::shoppers(dir)) {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    found
}

/// Removes all databases: whoever opens the folder next begins with none.
pub(crate) fn destroy(dir: &Path) -> Result<(), EngineError> {
    Ok(Views::destroy(&folder::shoppers(dir))?)
}

/// Somebody of an index who is to be forgotten.
pub(crate) struct Forgotten {
    pub index: IndexNo,
    pub user: UserId,
    /// The ids of the events.
    pub events: FxHashSet<EventKey>,
}

/// Writes a new database with what is known now of all others, as of a sequence number. It is
/// to be used in place of the old one, which is to be removed when nobody has it open any more.
pub(crate) fn renewed(
    dir: &Path,
    old: &Views,
    behaviours: &[Arc<Behaviour>],
    forgotten: &Forgotten,
    next: u64,
) -> Result<Views, EngineError> {
    let number = numbers(dir).last().map_or(1, |(number, _)| number + 1);
    let views = Views::open(&path(dir, number), &SHOPPER_NAMES)?;
    let mut kept = Vec::new();
    for entry in old.prefix(EVENT_IDS, &[])? {
        let (key, _) = entry?;
        let is_erased =
            EventKey::try_from(&key[..]).is_ok_and(|key| forgotten.events.contains(&key));
        if !is_erased {
            kept.push(key);
        }
    }
    views.ingest(EVENT_IDS, kept.into_iter().map(|key| (key, [])))?;
    let all = behaviours.iter().flat_map(|behaviour| behaviour.entries());
    views.ingest(PROFILES, all)?;
    ledger::copy(old, &views, forgotten.index, &forgotten.user)?;
    let mut batch = views.batch();
    tables::mark_format(&mut batch);
    Applied::Events.write(&mut batch, next);
    tables::put_erasing(&mut batch, &tables::erasing(&old.snapshot())?)?;
    batch.commit()?;
    views.persist()?;
    Ok(views)
}

/// Removes all databases but the newest.
pub(crate) fn remove_older(dir: &Path) -> Result<(), EngineError> {
    let mut numbers = numbers(dir);
    numbers.pop();
    for (_, path) in numbers {
        Views::destroy(&path)?;
    }
    Ok(())
}

/// Deletes what is kept of one index.
pub(crate) fn delete_index(views: &Views, index: IndexNo) -> Result<(), EngineError> {
    let mut batch = views.batch();
    for view in [EVENT_IDS, PROFILES, SHOPPERS, FEEDBACK, FEEDBACK_BY_ITEM] {
        for entry in views.prefix(view, &index.0.to_be_bytes())? {
            let (key, _) = entry?;
            batch.delete(view, key);
        }
    }
    Ok(batch.commit()?)
}

/// The keys of profiles begin with the number of their index.
pub(crate) fn profile_key(index: IndexNo, key: &[u8]) -> Vec<u8> {
    let mut full = index.0.to_be_bytes().to_vec();
    full.extend_from_slice(key);
    full
}

/// What is kept of the profiles of one index.
pub(crate) type Entries = Vec<(Vec<u8>, Bytes)>;

/// What is kept of the profiles of each index, by its number.
pub(crate) fn entries(views: &ViewSnapshot) -> Result<Vec<(IndexNo, Entries)>, EngineError> {
    let mut all: Vec<(IndexNo, Entries)> = Vec::new();
    for entry in views.prefix(PROFILES, &[])? {
        let (key, value) = entry?;
        let Some((index, key)) = key.split_first_chunk::<8>() else {
            continue;
        };
        let index = IndexNo(u64::from_be_bytes(*index));
        match all.last_mut() {
            Some((last, entries)) if *last == index => entries.push((key.to_vec(), value)),
            _ => all.push((index, vec![(key.to_vec(), value)])),
        }
    }
    Ok(all)
}

/// Adds what changed since the last checkpoint.
pub(crate) fn put_changes(batch: &mut ViewBatch, behaviour: &Behaviour) {
    for (key, value) in behaviour.take_changes() {
        batch.put(PROFILES, key, value);
    }
}
