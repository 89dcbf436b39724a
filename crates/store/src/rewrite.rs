//! Compaction: a sealed segment is written anew with smaller records.
//!
//! Every record keeps its number; only what it holds is replaced. The new file
//! is made beside the old one and renamed over it, so that a crash at any moment
//! leaves one of the two, and readers that hold the old file read it to its end.

use crate::disk::Unfinished;
use crate::error::LogError;
use crate::frame::{LOST, NewRecord, Record, encode_head};
use crate::log::Log;
use crate::read::damaged;
use crate::scan::Step;
use crate::segment::{Extent, Segment};
use std::sync::Arc;

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    Keep,
    Replace(NewRecord),
}

/// The bytes of a segment before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewriteReport {
    pub before: u64,
    pub after: u64,
}

impl Log {
    /// Writes the sealed segment that begins with `first_seq` anew, asking for
    /// each record. Where every record is kept, the file stays as it is.
    pub fn rewrite_segment(
        &self,
        first_seq: u64,
        keep: &mut dyn FnMut(&Record) -> Rewritten,
    ) -> Result<RewriteReport, LogError> {
        let _alone = self.rewriting.lock();
        let found = {
            let segments = self.segments.read();
            let at = segments.binary_search_by_key(&first_seq, |segment| segment.first_seq);
            at.ok().and_then(|at| segments.get(at).cloned())
        };
        let segment = found
            .filter(|segment| segment.extent().sealed)
            .ok_or(LogError::NotSealed { first_seq })?;
        let extent = segment.extent();
        let after = write_anew(&segment, extent, keep)?;
        if let Some(bytes) = after {
            self.exchange(&segment, Extent { bytes, ..extent });
        }
        Ok(RewriteReport {
            before: extent.bytes,
            after: after.unwrap_or(extent.bytes),
        })
    }

    fn exchange(&self, old: &Segment, extent: Extent) {
        let new = Segment::new(old.path.clone(), old.first_seq, extent);
        let mut segments = self.segments.write();
        if let Ok(at) = segments.binary_search_by_key(&old.first_seq, |segment| segment.first_seq)
            && let Some(place) = segments.get_mut(at)
        {
            *place = Arc::new(new);
        }
    }
}

/// Writes the new file; returns its bytes, or `None` where nothing changed.
fn write_anew(
    segment: &Segment,
    extent: Extent,
    keep: &mut dyn FnMut(&Record) -> Rewritten,
) -> Result<Option<u64>, LogError> {
    let failed = |error| LogError::io(&segment.path, error);
    let header = segment.open()?.header;
    let mut run = segment.run(segment.first_seq)?;
    let mut file = Unfinished::create(&segment.path).map_err(failed)?;
    let head = header.encode();
    file.write(&head).map_err(failed)?;
    let mut bytes = head.len() as u64;
    let mut changed = false;
    while run.next_seq < extent.next_seq {
        let record = match run.step().map_err(failed)? {
            Step::Record(record) => record,
            other => return Err(damaged(&segment.path, &run, other)),
        };
        let seq = record.seq;
        let new = match keep(&record) {
            Rewritten::Keep => NewRecord {
                kind: record.kind,
                version: record.version,
                payload: record.payload,
            },
            Rewritten::Replace(new) if new.kind == LOST => return Err(LogError::ReservedKind),
            Rewritten::Replace(new) => {
                changed = true;
                new
            }
        };
        file.write(&encode_head(header.salt, seq, &new))
            .map_err(failed)?;
        file.write(&new.payload).map_err(failed)?;
        bytes += new.frame_bytes();
    }
    if !changed {
        return Ok(None);
    }
    file.finish().map_err(failed)?;
    Ok(Some(bytes))
}
