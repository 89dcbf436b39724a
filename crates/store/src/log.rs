//! The durable log: numbered records in append-only segment files.
//!
//! Numbers begin at 0 and are never given twice nor changed. `append` returns
//! when its whole group is on the disk; readers take no lock that it holds while
//! it waits for the disk.

use crate::acknowledged::Acknowledged;
use crate::append::Writer;
use crate::disk::create_dirs;
use crate::error::LogError;
use crate::frame::{LOST, NewRecord, Record};
use crate::header::{HEADER, Header, file_name, new_salt};
use crate::read::RecordIter;
use crate::recover::{
    check_end, check_links, create_segment, list, open_to_write, recover_last, remove_unfinished,
};
use crate::segment::{Places, Segment};
use parking_lot::{Mutex, RwLock};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the log is cut into files, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment that has reached this size is sealed. A group is never split,
    /// so the last group may carry a segment beyond it.
    pub segment_bytes: u64,
    /// The largest payload taken. Older, larger records stay readable.
    pub max_record_bytes: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_record_bytes: 512 << 20,
        }
    }
}

/// What opening the log found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub last_seq: Option<u64>,
    /// Bytes of a write that was cut short and never acknowledged; they were cut off.
    pub torn_bytes: u64,
    pub segments: usize,
}

/// A segment to which nothing is added any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub first_seq: u64,
    pub last_seq: u64,
    pub bytes: u64,
    pub path: PathBuf,
}

/// What a full check of the log counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    pub records: u64,
    /// Placeholders of records that a repair gave up.
    pub lost: u64,
    pub bytes: u64,
    pub segments: usize,
}

/// The durable log. Any number of threads may read while one appends.
#[derive(Debug)]
pub struct Log {
    pub(crate) dir: PathBuf,
    options: LogOptions,
    /// In order; the last one is written to.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    writer: Mutex<Writer>,
    next_seq: AtomicU64,
    /// One rewrite at a time.
    pub(crate) rewriting: Mutex<()>,
}

impl Log {
    /// Opens the log in this folder, which is made if it is missing.
    ///
    /// The caller holds the [`FolderLock`](crate::FolderLock) of the data folder.
    pub fn open(dir: &Path, options: LogOptions) -> Result<(Self, Recovery), LogError> {
        let failed = |error| LogError::io(dir, error);
        create_dirs(dir).map_err(failed)?;
        remove_unfinished(dir).map_err(failed)?;
        let noted = Acknowledged::read(dir).map_err(failed)?;
        let acknowledged = noted.map(|note| note.seq);
        let mut segments = list(dir)?;
        if segments.is_empty() {
            check_end(dir, None, acknowledged)?;
            let header = Header {
                salt: new_salt(),
                first_seq: 0,
                previous: None,
            };
            segments.push(Arc::new(create_segment(dir, &header)?));
        }
        check_links(&segments)?;
        let torn_bytes = match segments.last() {
            Some(last) => recover_last(last, acknowledged)?,
            None => 0,
        };
        Self::join(dir, options, segments, torn_bytes)
    }

    fn join(
        dir: &Path,
        options: LogOptions,
        segments: Vec<Arc<Segment>>,
        torn_bytes: u64,
    ) -> Result<(Self, Recovery), LogError> {
        let last = Arc::clone(segments.last().expect("a log has a segment"));
        let next_seq = last.extent().next_seq;
        let recovery = Recovery {
            last_seq: next_seq.checked_sub(1),
            torn_bytes,
            segments: segments.len(),
        };
        let file = open_to_write(&last.path)?;
        // What a killed process wrote may still be in the page cache only. It is
        // shown to readers from now on, so it must be as durable as the rest.
        file.sync_all()
            .map_err(|error| LogError::io(&last.path, error))?;
        let salt = last.open()?.header.salt;
        let note = Acknowledged::reset(dir, salt, recovery.last_seq)
            .map_err(|error| LogError::io(dir, error))?;
        let log = Self {
            dir: dir.to_path_buf(),
            options,
            segments: RwLock::new(segments),
            writer: Mutex::new(Writer::new(last, file, salt, note)),
            next_seq: AtomicU64::new(next_seq),
            rewriting: Mutex::new(()),
        };
        Ok((log, recovery))
    }

    /// Appends a group with one sync, and returns the numbers it was given once
    /// it is durable. Callers that want speed put more records into a group.
    pub fn append(&self, records: &[NewRecord]) -> Result<Range<u64>, LogError> {
        let limit = u64::from(self.options.max_record_bytes);
        for record in records {
            let bytes = record.payload.len() as u64;
            if bytes > limit {
                return Err(LogError::TooLarge { bytes, limit });
            }
            if record.kind == LOST {
                return Err(LogError::ReservedKind);
            }
        }
        self.append_unchecked(records)
    }

    /// Appends a group that may hold placeholders of lost records.
    pub(crate) fn append_unchecked(&self, records: &[NewRecord]) -> Result<Range<u64>, LogError> {
        let mut writer = self.writer.lock();
        writer.ready()?;
        if records.is_empty() {
            return Ok(writer.next_seq..writer.next_seq);
        }
        let group: u64 = records.iter().map(NewRecord::frame_bytes).sum();
        let started = writer.bytes > HEADER as u64;
        if started && writer.bytes + group > self.options.segment_bytes {
            self.begin_segment(&mut writer)?;
        }
        let numbers = writer.append(records)?;
        self.next_seq.store(numbers.end, Ordering::Release);
        Ok(numbers)
    }

    /// Seals the last segment, unless it is empty, so that it can be rewritten.
    pub fn seal(&self) -> Result<(), LogError> {
        let mut writer = self.writer.lock();
        writer.ready()?;
        match writer.bytes > HEADER as u64 {
            true => self.begin_segment(&mut writer),
            false => Ok(()),
        }
    }

    /// Seals the last segment and turns the writer to a new one.
    fn begin_segment(&self, writer: &mut Writer) -> Result<(), LogError> {
        let made = self.make_segment(writer);
        // Once the new file stands in the folder, nothing may be added to the old
        // one: those records would be numbered past its end.
        if made.is_err() && self.dir.join(file_name(writer.next_seq)).exists() {
            writer.stop(io::ErrorKind::Other.into());
        }
        made
    }

    fn make_segment(&self, writer: &mut Writer) -> Result<(), LogError> {
        let header = Header {
            salt: writer.salt,
            first_seq: writer.next_seq,
            previous: Some(writer.segment.first_seq),
        };
        let segment = create_segment(&self.dir, &header)?;
        let file = open_to_write(&segment.path)?;
        segment.keep_open(segment.open()?, Places::default());
        let segment = Arc::new(segment);
        self.segments.write().push(Arc::clone(&segment));
        writer.turn_to(segment, file);
        Ok(())
    }

    /// The number of the last durable record; `None` while the log is empty.
    pub fn last_seq(&self) -> Option<u64> {
        self.next_seq().checked_sub(1)
    }

    /// The number that the next record will be given.
    pub fn next_seq(&self) -> u64 {
        self.next_seq.load(Ordering::Acquire)
    }

    /// Reads every record that is durable now, from number `from` on.
    pub fn read(&self, from: u64) -> RecordIter {
        let until = self.next_seq();
        let segments = self.segments.read();
        let first = segments
            .partition_point(|segment| segment.first_seq <= from)
            .saturating_sub(1);
        let ends = segments
            .iter()
            .skip(first + 1)
            .map(|segment| segment.first_seq)
            .chain([until]);
        let wanted: VecDeque<_> = segments
            .iter()
            .skip(first)
            .zip(ends)
            .map(|(segment, end)| (Arc::clone(segment), end.min(until)))
            .collect();
        RecordIter::new(wanted, from)
    }

    /// Reads one record; `None` when it has not been written yet.
    pub fn get(&self, seq: u64) -> Result<Option<Record>, LogError> {
        if seq >= self.next_seq() {
            return Ok(None);
        }
        let segment = {
            let segments = self.segments.read();
            let after = segments.partition_point(|segment| segment.first_seq <= seq);
            after
                .checked_sub(1)
                .and_then(|at| segments.get(at).cloned())
        };
        segment.map(|segment| segment.get(seq)).transpose()
    }

    /// The segments to which nothing is added any more, in order.
    pub fn sealed_segments(&self) -> Vec<SegmentInfo> {
        let segments = self.segments.read();
        segments
            .iter()
            .filter(|segment| segment.extent().sealed)
            .map(|segment| SegmentInfo {
                first_seq: segment.first_seq,
                last_seq: segment.extent().next_seq.saturating_sub(1),
                bytes: segment.extent().bytes,
                path: segment.path.clone(),
            })
            .collect()
    }

    /// Reads and checks every record.
    pub fn verify(&self) -> Result<VerifyReport, LogError> {
        let mut report = VerifyReport {
            bytes: self.bytes(),
            segments: self.segments.read().len(),
            ..VerifyReport::default()
        };
        for record in self.read(0) {
            report.records += 1;
            report.lost += u64::from(record?.kind == LOST);
        }
        Ok(report)
    }

    /// The durable bytes of all segments.
    pub fn bytes(&self) -> u64 {
        let segments = self.segments.read();
        segments.iter().map(|segment| segment.extent().bytes).sum()
    }

    #[cfg(test)]
    pub(crate) fn fail_next(&self, fault: crate::append::Fault) {
        self.writer.lock().fault = Some(fault);
    }
}
