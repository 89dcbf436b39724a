//! The durable log: numbered records in append-only segment files.
//!
//! Numbers begin at 0 and are never given twice nor changed. `append` returns
//! when its whole group is on the disk; readers take no lock that it holds while
//! it waits for the disk. See `docs/decisions` for why the log is not a view.

use crate::acknowledged::Acknowledged;
use crate::append::Writer;
use crate::disk::{UNFINISHED, Unfinished};
use crate::error::{Damage, LogError};
use crate::frame::{LOST, NewRecord, Record};
use crate::header::{HEADER, Header, file_name, named_seq};
use crate::read::RecordIter;
use crate::scan::{Ending, Step, judge};
use crate::segment::{Extent, Places, Segment, read_rest};
use parking_lot::{Mutex, RwLock};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
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
        std::fs::create_dir_all(dir).map_err(failed)?;
        remove_unfinished(dir).map_err(failed)?;
        let acknowledged = Acknowledged::read(dir).map_err(failed)?;
        let mut segments = list(dir)?;
        if segments.is_empty() {
            check_end(dir, None, acknowledged)?;
            segments.push(Arc::new(create_segment(dir, 0, None)?));
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
        let note = Acknowledged::reset(dir, recovery.last_seq)
            .map_err(|error| LogError::io(dir, error))?;
        let salt = last.open()?.header.salt;
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
        let previous = writer.segment.first_seq;
        let segment = create_segment(&self.dir, writer.next_seq, Some(previous))?;
        let file = open_to_write(&segment.path)?;
        let opened = segment.open()?;
        let salt = opened.header.salt;
        segment.keep_open(opened, Places::default());
        let segment = Arc::new(segment);
        self.segments.write().push(Arc::clone(&segment));
        writer.turn_to(segment, file, salt);
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
            after.checked_sub(1).and_then(|at| segments.get(at).cloned())
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

fn open_to_write(path: &Path) -> Result<File, LogError> {
    let file = OpenOptions::new().write(true).open(path);
    file.map_err(|error| LogError::io(path, error))
}

/// Removes what a crash left half made; nothing in it was ever acknowledged.
fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The paths of the segments in a folder, in order, with their first records.
pub(crate) fn segment_paths(dir: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let failed = |error| LogError::io(dir, error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "seg") {
            continue;
        }
        match named_seq(&path) {
            Some(first_seq) => paths.push((first_seq, path)),
            None => return Err(LogError::Foreign { path }),
        }
    }
    paths.sort();
    Ok(paths)
}

fn list(dir: &Path) -> Result<Vec<Arc<Segment>>, LogError> {
    let paths = segment_paths(dir)?;
    let ends: Vec<_> = paths.iter().skip(1).map(|&(first, _)| first).collect();
    let mut segments = Vec::with_capacity(paths.len());
    for (at, (first_seq, path)) in paths.into_iter().enumerate() {
        let bytes = std::fs::metadata(&path)
            .map_err(|error| LogError::io(&path, error))?
            .len();
        let end = ends.get(at).copied();
        let extent = Extent {
            bytes,
            next_seq: end.unwrap_or(first_seq),
            sealed: end.is_some(),
        };
        segments.push(Arc::new(Segment::new(path, first_seq, extent)));
    }
    Ok(segments)
}

/// Checks every header, and that each segment follows the one before it.
fn check_links(segments: &[Arc<Segment>]) -> Result<(), LogError> {
    let mut previous = None;
    for segment in segments {
        let header = segment.open()?.header;
        if header.previous != previous {
            return Err(LogError::Damaged {
                path: segment.path.clone(),
                offset: 0,
                seq: segment.first_seq,
                what: Damage::MissingSegment,
            });
        }
        previous = Some(segment.first_seq);
    }
    Ok(())
}

/// Makes the file of a new segment, whole or not at all.
fn create_segment(dir: &Path, first_seq: u64, previous: Option<u64>) -> Result<Segment, LogError> {
    let path = dir.join(file_name(first_seq));
    let make = || {
        let mut file = Unfinished::create(&path)?;
        file.write(&Header::new(first_seq, previous).encode())?;
        file.finish()
    };
    make().map_err(|error| LogError::io(&path, error))?;
    let extent = Extent {
        bytes: HEADER as u64,
        next_seq: first_seq,
        sealed: false,
    };
    Ok(Segment::new(path, first_seq, extent))
}

/// Reads the whole last segment and cuts off a torn tail; returns its bytes.
fn recover_last(last: &Segment, acknowledged: Option<u64>) -> Result<u64, LogError> {
    let failed = |error| LogError::io(&last.path, error);
    let opened = last.open()?;
    let mut places = Places::default();
    let mut run = last.run(last.first_seq)?;
    let bad = loop {
        let (seq, offset) = (run.next_seq, run.offset);
        match run.step().map_err(failed)? {
            Step::Record(_) => places.pass(seq, offset),
            Step::End => break None,
            Step::Bad(what) => break Some(what),
        }
    };
    if let Some(what) = bad {
        let rest = read_rest(&opened, run.offset, run.end).map_err(failed)?;
        let ending = judge(&rest, opened.header.salt, run.offset, run.next_seq, what);
        if let Ending::Damaged { offset, seq, what } = ending {
            let path = last.path.clone();
            return Err(LogError::Damaged {
                path,
                offset,
                seq,
                what,
            });
        }
    }
    check_end(&last.path, Some((run.offset, run.next_seq)), acknowledged)?;
    let torn_bytes = run.end - run.offset;
    if torn_bytes > 0 {
        tracing::warn!(torn_bytes, path = %last.path.display(), "cut off an unacknowledged write");
        let file = open_to_write(&last.path)?;
        file.set_len(run.offset).map_err(failed)?;
    }
    last.grow(run.offset, run.next_seq, std::iter::empty());
    last.keep_open(opened, places);
    Ok(torn_bytes)
}

/// Refuses a log that ends before what had been acknowledged.
/// `end` is where its last segment ends, and the record due there.
fn check_end(
    path: &Path,
    end: Option<(u64, u64)>,
    acknowledged: Option<u64>,
) -> Result<(), LogError> {
    let (offset, next_seq) = end.unwrap_or_default();
    match acknowledged {
        Some(acknowledged) if acknowledged >= next_seq => Err(LogError::Damaged {
            path: path.to_path_buf(),
            offset,
            seq: next_seq,
            what: Damage::EndsBeforeAcknowledged {
                last: next_seq.checked_sub(1),
                acknowledged,
            },
        }),
        _ => Ok(()),
    }
}
