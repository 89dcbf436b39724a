//! Erasing a shopper: events, profile, and every count that rests on them.
//!
//! The order is what makes it survive a crash:
//!
//! 1. A record says that the shopper is to be erased. From here on it will be.
//! 2. The segments of the log that hold events or statements of the shopper are written anew
//!    without them.
//! 3. The profiles of the index are folded anew from that log, and a new database of profiles
//!    takes the place of the old one. The sequence model is fitted anew.
//! 4. The record of the first step is written anew with nothing in it.
//!
//! A start that finds such a record, or a note of one, takes all steps again. Events that come
//! after the record are those of somebody new.

use crate::event_ids::{self, EventKey};
use crate::export::each_event;
use crate::record::{Asked, Body, ERASURES, EVENTS, Entry, EraseBody, IndexNo, LEDGER};
use crate::shoppers::Forgotten;
use crate::snapshot::IndexReader;
use crate::tables::{self, Applied, IndexMeta};
use crate::writer::{Command, Exchange, Prepared};
use crate::{Engine, EngineError, folder, learn, shoppers};
use domain::{IndexUid, Timestamp, UserId};
use profiles::Profiles;
use rustc_hash::FxHashSet;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use store::{Log, Record, Rewritten, Views};

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    pub user_id: String,
    pub events: u64,
    /// Trained models that may have learnt from these events, and are marked so now.
    pub models: Vec<String>,
    /// Backups in the data folder, which still hold what they held when they were written.
    pub copies: Vec<String>,
}

/// What the log holds of a shopper.
#[derive(Default)]
struct Traces {
    events: u64,
    /// Records with events of the shopper, or with what is stated of it.
    records: BTreeSet<u64>,
    /// When the first event was accepted.
    first: Option<Timestamp>,
    ids: FxHashSet<EventKey>,
}

impl Traces {
    /// Of what stands before a record.
    fn find(log: &Log, index: IndexNo, user: &str, before: u64) -> Result<Self, EngineError> {
        let mut traces = Self::default();
        each_event(log, index, |seq, entry, event| {
            if seq < before && event.user.as_str() == user {
                traces.events += 1;
                traces.records.insert(seq);
                traces.first.get_or_insert(entry.at);
                traces.ids.extend(event_ids::key(index, event));
            }
        })?;
        for record in log.read(index.0) {
            let record = record?;
            if record.seq >= before {
                break;
            }
            if record.kind == LEDGER && is_stated(&Entry::decode(&record)?, index, user) {
                traces.records.insert(record.seq);
            }
        }
        Ok(traces)
    }
}

/// Whether a record states something of a shopper of an index.
fn is_stated(entry: &Entry, index: IndexNo, user: &str) -> bool {
    let Body::Ledger(ledger) = &entry.body else {
        return false;
    };
    let mut statements = ledger.statements.iter();
    entry.index == index && statements.any(|statement| statement.user() == user)
}

impl Engine {
    /// Erases a shopper of an index; done when this returns. Backups are left as they are.
    pub fn erase_shopper(&self, uid: &str, user: &UserId) -> Result<Erased, EngineError> {
        let shared = self.shared();
        let _alone = shared.erasing.lock();
        let reader = self.index(uid)?;
        let index = reader.state.meta.no;
        let traces = Traces::find(&shared.log, index, user.as_str(), u64::MAX)?;
        let is_known = reader
            .state
            .behaviour
            .profiles()
            .shopper(user.as_str())
            .is_some();
        let models = match traces.first {
            Some(first) => self.mark_models(&reader, first)?,
            // An erasure before has come half way.
            None if is_known || !traces.records.is_empty() => Vec::new(),
            None => return Err(EngineError::ShopperNotFound(user.to_string())),
        };
        let seq = self.write_erasure(&reader, user)?;
        // Those that came in between are erased too.
        let traces = Traces::find(&shared.log, index, user.as_str(), seq)?;
        shared.log.seal()?;
        forget(&shared.log, &traces.records, index, user)?;
        self.exchange(Forgotten {
            index,
            user: user.clone(),
            events: traces.ids,
        })?;
        let behaviour = &reader.state.behaviour;
        behaviour.shelf.trial.forget(user.as_str());
        learn::refit(behaviour, &folder::model(&shared.dir, &reader.state.meta))?;
        end(&shared.log, &shared.shoppers.load(), seq)?;
        Ok(Erased {
            user_id: user.to_string(),
            events: traces.events,
            models,
            copies: copies(&shared.dir),
        })
    }

    /// Writes the record that says so; gives its number.
    fn write_erasure(&self, reader: &IndexReader, user: &UserId) -> Result<u64, EngineError> {
        let (answer, answered) = sync_channel(1);
        self.send(Prepared {
            uid: Some(IndexUid::new(reader.state.meta.uid.clone())?),
            body: Body::EraseShopper(EraseBody {
                index: reader.state.meta.no,
                user: user.clone(),
            }),
            asked: Asked::default(),
            done: Box::new(move |result| {
                // The waiting side is this very call.
                let _ = answer.send(result);
            }),
        });
        let accepted = answered.recv().map_err(|_| EngineError::Closing)??;
        Ok(accepted.task_uid)
    }

    /// Folds the profiles of an index anew and has the writer take them.
    fn exchange(&self, forgotten: Forgotten) -> Result<(), EngineError> {
        let log = &self.shared().log;
        let next = log.next_seq();
        let mut profiles = Profiles::new();
        fold(log, forgotten.index, 0..next, &mut profiles)?;
        let (answer, answered) = sync_channel(1);
        let exchange = Exchange {
            profiles,
            next,
            forgotten,
            done: Box::new(move |result| {
                let _ = answer.send(result);
            }),
        };
        self.command(Command::Exchange(Box::new(exchange)))?;
        answered.recv().map_err(|_| EngineError::Closing)?
    }
}

/// Ends the erasures that a crash has interrupted. Profiles are folded anew afterwards.
pub(crate) fn finish_all(
    dir: &Path,
    log: &Log,
    views: &Views,
    shoppers: Views,
) -> Result<Views, EngineError> {
    let unfinished = unfinished(log, &shoppers)?;
    if unfinished.is_empty() {
        return Ok(shoppers);
    }
    tracing::info!(erasures = unfinished.len(), "ending what was interrupted");
    log.seal()?;
    for (seq, index, user) in &unfinished {
        let traces = Traces::find(log, *index, user.as_str(), *seq)?;
        forget(log, &traces.records, *index, user)?;
    }
    drop(shoppers);
    shoppers::destroy(dir)?;
    for meta in IndexMeta::all(&views.snapshot())? {
        if unfinished.iter().any(|(_, index, _)| *index == meta.no) {
            learn::remove(&folder::model(dir, &meta))?;
        }
    }
    let shoppers = shoppers::open(dir)?;
    for (seq, _, _) in unfinished {
        end(log, &shoppers, seq)?;
    }
    Ok(shoppers)
}

/// Notes that an erasure has begun, for a start that reads the log from behind its record.
pub(crate) fn note(shoppers: &Views, seq: u64) -> Result<(), EngineError> {
    let mut seqs = tables::erasing(&shoppers.snapshot())?;
    seqs.push(seq);
    let mut batch = shoppers.batch();
    tables::put_erasing(&mut batch, &seqs)?;
    Ok(batch.commit()?)
}

/// Erasures that have begun and not ended: those noted, and those in the part of the log that
/// the views do not know.
fn unfinished(log: &Log, shoppers: &Views) -> Result<Vec<(u64, IndexNo, UserId)>, EngineError> {
    let snapshot = shoppers.snapshot();
    let mut seqs: BTreeSet<u64> = tables::erasing(&snapshot)?.into_iter().collect();
    for record in log.read(Applied::Events.read(&snapshot)?) {
        let record = record?;
        if record.kind == ERASURES {
            seqs.insert(record.seq);
        }
    }
    let mut unfinished = Vec::new();
    for seq in seqs {
        let Some(record) = log.get(seq)?.filter(|record| record.kind == ERASURES) else {
            continue;
        };
        let entry = Entry::decode(&record)?;
        if let Body::EraseShopper(body) = entry.body {
            unfinished.push((seq, entry.index, body.user));
        }
    }
    Ok(unfinished)
}

/// Writes the segments that hold these records anew without the shopper.
fn forget(
    log: &Log,
    records: &BTreeSet<u64>,
    index: IndexNo,
    user: &UserId,
) -> Result<(), EngineError> {
    rewrite(log, records, &mut |record| without(record, index, user))
}

/// Ends an erasure: nothing of the shopper is left but the record that asked for it.
fn end(log: &Log, shoppers: &Views, seq: u64) -> Result<(), EngineError> {
    rewrite(log, &BTreeSet::from([seq]), &mut |record| {
        let mut entry = Entry::decode(record)?;
        entry.body = Body::Compacted;
        Ok(Some(entry))
    })?;
    let mut seqs = tables::erasing(&shoppers.snapshot())?;
    seqs.retain(|noted| *noted != seq);
    let mut batch = shoppers.batch();
    tables::put_erasing(&mut batch, &seqs)?;
    Ok(batch.commit()?)
}

/// Writes the sealed segments that hold any of these records anew; `change` gives what stands in
/// the place of each of the records, or nothing for one that stays.
fn rewrite(
    log: &Log,
    records: &BTreeSet<u64>,
    change: &mut dyn FnMut(&Record) -> Result<Option<Entry>, EngineError>,
) -> Result<(), EngineError> {
    for segment in log.sealed_segments() {
        let held = records.range(segment.first_seq..=segment.last_seq);
        if held.count() == 0 {
            continue;
        }
        let mut failed = None;
        log.rewrite_segment(segment.first_seq, &mut |record| {
            if !records.contains(&record.seq) {
                return Rewritten::Keep;
            }
            let changed = change(record).and_then(|entry| match entry {
                Some(entry) => entry.encode().map(Rewritten::Replace),
                None => Ok(Rewritten::Keep),
            });
            changed.unwrap_or_else(|err| {
                failed.get_or_insert(err);
                Rewritten::Keep
            })
        })?;
        if let Some(err) = failed {
            return Err(err);
        }
    }
    Ok(())
}

/// The entry of a record without a shopper.
fn without(record: &Record, index: IndexNo, user: &UserId) -> Result<Option<Entry>, EngineError> {
    // Compaction may have dropped it since it was looked at.
    if record.kind != EVENTS && record.kind != LEDGER {
        return Ok(None);
    }
    let mut entry = Entry::decode(record)?;
    if entry.index != index {
        return Ok(None);
    }
    let is_empty = match &mut entry.body {
        Body::Events(events) => {
            events.retain(|event| event.user != *user);
            events.is_empty()
        }
        Body::Ledger(ledger) => {
            let statements = &mut ledger.statements;
            statements.retain(|statement| statement.user() != user.as_str());
            statements.is_empty()
        }
        _ => return Ok(None),
    };
    if is_empty {
        entry.body = Body::Compacted;
    }
    Ok(Some(entry))
}

/// Folds the events of an index that stand in a part of the log.
pub(crate) fn fold(
    log: &Log,
    index: IndexNo,
    records: Range<u64>,
    profiles: &mut Profiles,
) -> Result<(), EngineError> {
    for record in log.read(records.start.max(index.0)) {
        let record = record?;
        if record.seq >= records.end {
            break;
        }
        if record.kind != EVENTS {
            continue;
        }
        let entry = Entry::decode(&record)?;
        if let Body::Events(events) = &entry.body
            && entry.index == index
        {
            for event in events {
                profiles.fold(event);
            }
        }
    }
    Ok(())
}

/// Backups in the data folder, by their paths in it.
fn copies(dir: &Path) -> Vec<String> {
    let mut copies = Vec::new();
    for folder in [folder::dumps(dir), folder::snapshots(dir)] {
        for path in folder::entries(&folder) {
            let path = path.strip_prefix(dir).unwrap_or(&path);
            copies.push(path.display().to_string());
        }
    }
    copies.sort();
    copies
}

#[cfg(test)]
mod tests;
