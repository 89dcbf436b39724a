//! Compaction: dropping document versions that later records supersede.
//!
//! Sequence numbers never change. A document row in a sealed segment is dropped when the
//! documents view has replaced or deleted it in a later record; all rows of an index that
//! is gone are dropped. What is folded from the log afterwards is the same.

use crate::EngineError;
use crate::record::{Body, DocumentsBody, Entry, IndexNo};
use crate::shared::Shared;
use crate::tables::{Applied, Document, IndexMeta};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use store::{Record, Rewritten, ViewSnapshot};

/// Superseded versions from which on a server compacts by itself, if they also outnumber
/// the documents there are: then at least half of what is read can be dropped.
const ENOUGH_SUPERSEDED: u64 = 100_000;

/// Compacts on a thread of its own when enough versions have been superseded.
#[derive(Default)]
pub(crate) struct Compactor {
    superseded: u64,
    running: Option<JoinHandle<()>>,
}

impl Compactor {
    pub(crate) fn note(&mut self, superseded: u64) {
        self.superseded += superseded;
    }

    /// Starts a compaction when one is due and none is running.
    pub(crate) fn start_if_due(&mut self, shared: &Arc<Shared>, documents: u64) {
        let busy = self
            .running
            .as_ref()
            .is_some_and(|thread| !thread.is_finished());
        if busy || self.superseded < ENOUGH_SUPERSEDED.max(documents) {
            return;
        }
        self.superseded = 0;
        let shared = shared.clone();
        let run = move || match compact(&shared) {
            Ok(report) => tracing::info!(
                dropped = report.dropped_versions,
                bytes_before = report.bytes_before,
                bytes_after = report.bytes_after,
                "log compacted"
            ),
            Err(err) => {
                tracing::error!(error = &err as &dyn std::error::Error, "log not compacted")
            }
        };
        match thread::Builder::new()
            .name("vitrine-compactor".to_owned())
            .spawn(run)
        {
            Ok(thread) => self.running = Some(thread),
            Err(err) => {
                tracing::error!(error = &err as &dyn std::error::Error, "log not compacted")
            }
        }
    }

    /// Waits for a compaction that is running: nobody may use the log after the folder is closed.
    pub(crate) fn finish(&mut self) {
        if let Some(thread) = self.running.take() {
            // A panic there has been reported; the log is whole either way.
            let _ = thread.join();
        }
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompactReport {
    pub segments: usize,
    pub dropped_versions: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

pub(crate) fn compact(shared: &Shared) -> Result<CompactReport, EngineError> {
    let views = shared.views.snapshot();
    let shoppers = shared.shoppers.load().snapshot();
    let applied = Applied::Catalogue.read(&views)?;
    let indexes: BTreeMap<IndexNo, IndexMeta> = IndexMeta::all(&views)?
        .into_iter()
        .map(|meta| (meta.no, meta))
        .collect();
    let mut report = CompactReport::default();
    if shared.stopped().is_some() {
        // The views may lack what the log holds.
        return Ok(report);
    }
    for segment in shared.log.sealed_segments() {
        if segment.last_seq >= applied {
            continue;
        }
        let mut failed = None;
        let mut dropped = 0;
        let rewritten = shared
            .log
            .rewrite_segment(
                segment.first_seq,
                &mut |record: &Record| match without_superseded(record, &views, &shoppers, &indexes)
                {
                    Ok(Some((replacement, count))) => {
                        dropped += count;
                        Rewritten::Replace(replacement)
                    }
                    Ok(None) => Rewritten::Keep,
                    Err(err) => {
                        failed.get_or_insert(err);
                        Rewritten::Keep
                    }
                },
            )?;
        if let Some(err) = failed {
            return Err(err);
        }
        report.segments += 1;
        report.dropped_versions += dropped;
        report.bytes_before += rewritten.before;
        report.bytes_after += rewritten.after;
    }
    Ok(report)
}

/// The record without superseded rows and how many those were; `None` when there are none.
fn without_superseded(
    record: &Record,
    views: &ViewSnapshot,
    shoppers: &ViewSnapshot,
    indexes: &BTreeMap<IndexNo, IndexMeta>,
) -> Result<Option<(store::NewRecord, u64)>, EngineError> {
    if record.kind == store::LOST {
        return Ok(None);
    }
    let mut entry = Entry::decode(record)?;
    let alive = indexes.get(&entry.index);
    let dropped = match (&mut entry.body, alive) {
        (Body::Compacted, _) => 0,
        (Body::Documents(body), Some(meta)) => drop_rows(record.seq, body, meta, views)?,
        (Body::Documents(body), None) => {
            let rows = body.documents.len() as u64;
            entry.body = Body::Compacted;
            rows.max(1)
        }
        (Body::Ledger(ledger), Some(meta)) => {
            crate::ledger::drop_superseded(shoppers, meta.no, &mut ledger.statements)?
        }
        (Body::Events(_) | Body::Models(_) | Body::EraseShopper(_) | Body::Ledger(_), None) => {
            entry.body = Body::Compacted;
            1
        }
        _ => 0,
    };
    if dropped == 0 {
        return Ok(None);
    }
    Ok(Some((entry.encode()?, dropped)))
}

fn drop_rows(
    seq: u64,
    body: &mut DocumentsBody,
    meta: &IndexMeta,
    views: &ViewSnapshot,
) -> Result<u64, EngineError> {
    let Some(key) = &meta.primary_key else {
        return Ok(0);
    };
    let mut dropped = 0;
    for slot in &mut body.documents {
        let Some(text) = slot else { continue };
        let object = crate::tables::from_json(text.as_bytes())?;
        let Ok(id) = intake::document_id(&object, key) else {
            continue;
        };
        let superseded = match Document::get(views, meta.no, id.as_str())? {
            Some(current) => current.base > seq,
            None => true,
        };
        if superseded {
            *slot = None;
            dropped += 1;
        }
    }
    Ok(dropped)
}
