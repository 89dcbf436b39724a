//! What opening the log does with the files it finds.
//!
//! Every header is checked, and that no file is missing between two others. Only
//! the last segment can end in a write that was cut short, so only it is read
//! whole; what it lacks against the note of acknowledged records is an error.

use crate::disk::{UNFINISHED, Unfinished};
use crate::error::{Damage, LogError};
use crate::header::{HEADER, Header, file_name, named_seq};
use crate::scan::{Ending, Step, judge};
use crate::segment::{Extent, Places, Segment, read_rest};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens a segment for its writer.
pub(crate) fn open_to_write(path: &Path) -> Result<File, LogError> {
    let file = OpenOptions::new().write(true).open(path);
    file.map_err(|error| LogError::io(path, error))
}

/// Removes what a crash left half made; nothing in it was ever acknowledged.
pub(crate) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == UNFINISHED)
        {
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

/// The segments in a folder, in order, as far as their names tell.
pub(crate) fn list(dir: &Path) -> Result<Vec<Arc<Segment>>, LogError> {
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
pub(crate) fn check_links(segments: &[Arc<Segment>]) -> Result<(), LogError> {
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
pub(crate) fn create_segment(dir: &Path, header: &Header) -> Result<Segment, LogError> {
    let first_seq = header.first_seq;
    let path = dir.join(file_name(first_seq));
    let make = || {
        let mut file = Unfinished::create(&path)?;
        file.write(&header.encode())?;
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
pub(crate) fn recover_last(last: &Segment, acknowledged: Option<u64>) -> Result<u64, LogError> {
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
pub(crate) fn check_end(
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
