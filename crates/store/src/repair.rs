//! Giving up what is damaged and keeping the rest, on explicit demand.
//!
//! Every record that cannot be read any more is replaced by a placeholder of
//! kind [`LOST`](crate::LOST), so that no other record is renumbered and the
//! loss stays visible. Nothing is touched where nothing is damaged.

use crate::acknowledged::Acknowledged;
use crate::disk::Unfinished;
use crate::error::LogError;
use crate::frame::{NewRecord, Record, encode_head};
use crate::header::{HEADER, Header, file_name, new_salt};
use crate::recover::segment_paths;
use crate::scan::{Frames, Step, find_frame};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What a repair kept and gave up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// Records that could be read.
    pub kept: u64,
    /// The numbers of the records that are lost, in order.
    pub lost: Vec<RangeInclusive<u64>>,
    /// The files that were written anew.
    pub rewritten: Vec<PathBuf>,
}

impl RepairReport {
    fn lose(&mut self, seq: u64) {
        match self.lost.last_mut() {
            Some(range) if *range.end() + 1 == seq => *range = *range.start()..=seq,
            _ => self.lost.push(seq..=seq),
        }
    }
}

/// Repairs the log in this folder, which no process may have open.
pub fn repair(dir: &Path) -> Result<RepairReport, LogError> {
    let noted = Acknowledged::read(dir).map_err(|error| LogError::io(dir, error))?;
    let mut paths = segment_paths(dir)?;
    if paths.first().is_none_or(|&(first, _)| first > 0) {
        paths.insert(0, (0, dir.join(file_name(0))));
    }
    let salt = match find_salt(&paths)? {
        Some(salt) => salt,
        None => noted.map_or_else(new_salt, |note| note.salt),
    };
    let mut report = RepairReport::default();
    let mut previous = None;
    let mut next_seq = 0;
    for (at, (first_seq, path)) in paths.iter().enumerate() {
        let end = match paths.get(at + 1) {
            Some(&(next, _)) => End::Before(next),
            None => End::AtLeast(noted.map_or(0, |note| note.seq.saturating_add(1))),
        };
        let place = Place {
            path,
            header: Header {
                salt,
                first_seq: *first_seq,
                previous,
            },
            end,
        };
        next_seq = repair_segment(&place, &mut report)?;
        previous = Some(*first_seq);
    }
    Acknowledged::reset(dir, salt, next_seq.checked_sub(1))
        .map_err(|error| LogError::io(dir, error))?;
    Ok(report)
}

/// A segment and what must hold of it.
struct Place<'a> {
    path: &'a Path,
    /// The header it must have.
    header: Header,
    end: End,
}

/// Where a segment must end.
#[derive(Clone, Copy)]
enum End {
    /// Before the first record of the next one.
    Before(u64),
    /// Where its records end, but not before this one.
    AtLeast(u64),
}

/// Reads a segment as far as possible, and writes it anew if anything is missing.
/// Returns the number of the record after its last one.
fn repair_segment(place: &Place<'_>, report: &mut RepairReport) -> Result<u64, LogError> {
    let failed = |error| LogError::io(place.path, error);
    let bytes = match std::fs::read(place.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        result => result.map_err(failed)?,
    };
    let first_seq = place.header.first_seq;
    let read = Header::decode(&bytes, place.path, first_seq);
    if let Err(newer @ LogError::Newer { .. }) = read {
        return Err(newer);
    }
    let salt = read
        .as_ref()
        .map_or(place.header.salt, |header| header.salt);
    let wanted = Header {
        salt,
        ..place.header
    };
    let frames = bytes.get(HEADER..).unwrap_or_default();
    let limit = match place.end {
        End::Before(seq) => seq,
        End::AtLeast(_) => u64::MAX,
    };
    let (records, whole) = salvage(frames, salt, first_seq, limit);
    let end = match place.end {
        End::Before(seq) => seq,
        End::AtLeast(seq) => records
            .last()
            .map_or(first_seq, |last| last.seq + 1)
            .max(seq),
    };
    let complete = records.len() as u64 == end.saturating_sub(first_seq);
    let intact = read.is_ok_and(|header| header == wanted) && complete && whole;
    report.kept += records.len() as u64;
    if !intact {
        write_repaired(place.path, &wanted, records, end, report).map_err(failed)?;
        report.rewritten.push(place.path.to_path_buf());
    }
    Ok(end)
}

/// The salt of the log, from any header that can be read.
fn find_salt(paths: &[(u64, PathBuf)]) -> Result<Option<u32>, LogError> {
    for (first_seq, path) in paths {
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(file) => file
                .take(HEADER as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| LogError::io(path, error))?,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(LogError::io(path, error)),
        };
        if let Ok(header) = Header::decode(&bytes, path, *first_seq) {
            return Ok(Some(header.salt));
        }
    }
    Ok(None)
}

/// Every readable record below `limit`, and whether the bytes hold nothing else.
fn salvage(bytes: &[u8], salt: u32, first_seq: u64, limit: u64) -> (Vec<Record>, bool) {
    let mut records: Vec<Record> = Vec::new();
    let mut whole = true;
    let mut rest = bytes;
    let mut next_seq = first_seq;
    while next_seq < limit {
        let mut frames = Frames::new(rest, salt, next_seq, 0, rest.len() as u64);
        while let Ok(Step::Record(record)) = frames.step() {
            records.push(record);
        }
        next_seq = frames.next_seq;
        let at = usize::try_from(frames.offset).unwrap_or(usize::MAX);
        rest = rest.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        whole = false;
        match find_frame(rest, salt, next_seq) {
            Some(found) => {
                next_seq = found.record.seq;
                rest = rest.get(found.offset..).unwrap_or_default();
            }
            None => break,
        }
    }
    let before = records.len();
    records.retain(|record| record.seq < limit);
    whole &= before == records.len();
    (records, whole)
}

fn write_repaired(
    path: &Path,
    header: &Header,
    records: Vec<Record>,
    end: u64,
    report: &mut RepairReport,
) -> std::io::Result<()> {
    let mut file = Unfinished::create(path)?;
    file.write(&header.encode())?;
    let mut records = records.into_iter().peekable();
    for seq in header.first_seq..end {
        let new = match records.next_if(|record| record.seq == seq) {
            Some(record) => NewRecord {
                kind: record.kind,
                version: record.version,
                payload: record.payload,
            },
            None => {
                report.lose(seq);
                NewRecord::lost()
            }
        };
        file.write(&encode_head(header.salt, seq, &new))?;
        file.write(&new.payload)?;
    }
    file.finish()
}
