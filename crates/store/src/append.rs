//! The one writer of the log: a group of records, one write, one sync.
//!
//! After a failed sync nobody knows which pages reached the disk, and asking
//! again may answer "fine" for pages the kernel has dropped (the "fsyncgate" of
//! PostgreSQL, 2018; Rebello et al., "Can Applications Recover from fsync
//! Failures?", USENIX ATC 2020). So a failed sync ends all writing until the
//! next start, which reads back what is really there. A full disk is told apart:
//! it fails the write before the sync, the half-written group is cut off, and
//! writing goes on once there is space.

use crate::acknowledged::Acknowledged;
use crate::disk::write_all_at;
use crate::error::{LogError, is_full};
use crate::frame::{NewRecord, encode_head};
use crate::segment::Segment;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Frames are gathered up to here; a larger payload is written from where it is.
const GATHERED: usize = 1 << 20;

/// Writes to the last segment.
#[derive(Debug)]
pub(crate) struct Writer {
    pub segment: Arc<Segment>,
    pub file: File,
    pub salt: u32,
    /// The durable length of the file.
    pub bytes: u64,
    pub next_seq: u64,
    buffer: Vec<u8>,
    acknowledged: Acknowledged,
    poison: Option<Arc<io::Error>>,
    #[cfg(test)]
    pub fault: Option<Fault>,
}

/// A failure of the disk, to be played once in a test.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The write fails like this when half of the group is written.
    Write(io::ErrorKind),
    /// The group is written, the sync fails.
    Sync(io::ErrorKind),
}

impl Writer {
    pub fn new(segment: Arc<Segment>, file: File, salt: u32, acknowledged: Acknowledged) -> Self {
        let extent = segment.extent();
        Self {
            segment,
            file,
            salt,
            bytes: extent.bytes,
            next_seq: extent.next_seq,
            buffer: Vec::new(),
            acknowledged,
            poison: None,
            #[cfg(test)]
            fault: None,
        }
    }

    /// Refuses while an earlier failure stands.
    pub fn ready(&self) -> Result<(), LogError> {
        match &self.poison {
            None => Ok(()),
            Some(source) => Err(LogError::Poisoned {
                path: self.segment.path.clone(),
                source: Arc::clone(source),
            }),
        }
    }

    /// Writes to another, new segment from now on.
    pub fn turn_to(&mut self, segment: Arc<Segment>, file: File) {
        let before = std::mem::replace(&mut self.segment, segment);
        before.seal();
        let extent = self.segment.extent();
        self.file = file;
        self.bytes = extent.bytes;
    }

    /// Makes a group durable and visible to readers.
    pub fn append(&mut self, records: &[NewRecord]) -> Result<Range<u64>, LogError> {
        let first = self.next_seq;
        let written = self.write(records);
        let end = written.map_err(|error| self.undo(error, is_full))?;
        self.sync().map_err(|error| self.undo(error, |_| false))?;

        let mut place = self.bytes;
        let starts = (first..).zip(records).map(|(seq, record)| {
            let start = (seq, place);
            place += record.frame_bytes();
            start
        });
        let next = first + records.len() as u64;
        self.segment.grow(end, next, starts);
        self.bytes = end;
        self.next_seq = next;
        if let Some(last) = next.checked_sub(1)
            && let Err(error) = self.acknowledged.note(last)
        {
            // The records are durable; only the guard against a cut log is weaker.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "acknowledgement not noted"
            );
        }
        Ok(first..next)
    }

    /// Writes the frames behind the last durable byte; returns where they end.
    fn write(&mut self, records: &[NewRecord]) -> io::Result<u64> {
        let mut end = self.bytes;
        self.buffer.clear();
        for (seq, record) in (self.next_seq..).zip(records) {
            self.buffer
                .extend_from_slice(&encode_head(self.salt, seq, record));
            if record.payload.len() < GATHERED {
                self.buffer.extend_from_slice(&record.payload);
            } else {
                end = self.write_out(end)?;
                write_all_at(&self.file, &record.payload, end)?;
                end += record.payload.len() as u64;
            }
            if self.buffer.len() >= GATHERED {
                end = self.write_out(end)?;
            }
        }
        self.write_out(end)
    }

    fn write_out(&mut self, at: u64) -> io::Result<u64> {
        #[cfg(test)]
        if let Some(Fault::Write(kind)) = self.fault {
            self.fault = None;
            write_all_at(&self.file, &self.buffer[..self.buffer.len() / 2], at)?;
            return Err(kind.into());
        }
        write_all_at(&self.file, &self.buffer, at)?;
        let end = at + self.buffer.len() as u64;
        self.buffer.clear();
        Ok(end)
    }

    fn sync(&mut self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(Fault::Sync(kind)) = self.fault {
            self.fault = None;
            return Err(kind.into());
        }
        self.file.sync_data()
    }

    /// Cuts off what was not acknowledged; goes on only if that did the trick.
    fn undo(&mut self, error: io::Error, harmless: impl Fn(&io::Error) -> bool) -> LogError {
        let cut = self.file.set_len(self.bytes);
        if cut.is_err() || !harmless(&error) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                path = %self.segment.path.display(),
                "log takes no more writes"
            );
            self.stop(io::Error::from(error.kind()));
        }
        LogError::io(&self.segment.path, error)
    }

    /// Takes no more writes, for this reason.
    pub fn stop(&mut self, reason: io::Error) {
        self.poison = Some(Arc::new(reason));
    }
}

#[cfg(test)]
mod tests;
