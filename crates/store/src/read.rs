//! Reading the log from a record on, while appends go on.
//!
//! A reader sees what was durable when it began. It checks every record and the
//! unbroken row of their numbers; the first damage ends it with an error.

use crate::error::{Damage, LogError};
use crate::frame::Record;
use crate::scan::{Frames, Step};
use crate::segment::{Run, Segment};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// The records of the log, in order. Ends after the first error.
#[derive(Debug)]
pub struct RecordIter {
    /// The segments not begun yet, and the record after the last of each.
    segments: VecDeque<(Arc<Segment>, u64)>,
    current: Option<Current>,
    /// The next record to give out.
    next: u64,
}

#[derive(Debug)]
struct Current {
    segment: Arc<Segment>,
    run: Run,
    /// The record after the last one wanted of this segment.
    until: u64,
}

impl RecordIter {
    /// Reads from record `from`; each segment comes with the record after its last.
    pub(crate) fn new(segments: VecDeque<(Arc<Segment>, u64)>, from: u64) -> Self {
        Self {
            segments,
            current: None,
            next: from,
        }
    }

    fn advance(&mut self) -> Result<Option<Record>, LogError> {
        loop {
            let Some(current) = &mut self.current else {
                let Some((segment, until)) = self.segments.pop_front() else {
                    return Ok(None);
                };
                if self.next < until {
                    let run = segment.run(self.next)?;
                    self.current = Some(Current {
                        segment,
                        run,
                        until,
                    });
                }
                continue;
            };
            if current.run.next_seq >= current.until {
                self.current = None;
                continue;
            }
            let path = &current.segment.path;
            match current
                .run
                .step()
                .map_err(|error| LogError::io(path, error))?
            {
                Step::Record(record) if record.seq < self.next => {}
                Step::Record(record) => {
                    self.next = record.seq + 1;
                    return Ok(Some(record));
                }
                other => return Err(damaged(path, &current.run, other)),
            }
        }
    }
}

impl Iterator for RecordIter {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.advance();
        if result.is_err() {
            self.segments.clear();
            self.current = None;
        }
        result.transpose()
    }
}

/// The error for a run that stopped where a record was due.
pub(crate) fn damaged<R>(path: &Path, run: &Frames<R>, step: Step) -> LogError {
    LogError::Damaged {
        path: path.to_path_buf(),
        offset: run.offset,
        seq: run.next_seq,
        what: match step {
            Step::Bad(what) => what,
            Step::End | Step::Record(_) => Damage::EndsEarly,
        },
    }
}
