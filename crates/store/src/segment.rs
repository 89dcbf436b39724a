//! One segment file of the log, as readers see it.
//!
//! A segment knows how far it is durable and, once somebody asked for a single
//! record, where about every 64 KiB a record begins. Its file is opened anew for
//! each run over it, so that a long log does not use up the open files.

use crate::disk::Section;
use crate::error::LogError;
use crate::frame::Record;
use crate::header::{HEADER, Header};
use crate::read::damaged;
use crate::scan::{Frames, Step};
use parking_lot::{Mutex, RwLock};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// A place is remembered about this often.
const SPACING: u64 = 1 << 16;

/// How far a segment reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The durable bytes of the file, its header included.
    pub bytes: u64,
    /// The number of the record after its last one.
    pub next_seq: u64,
    /// No record will be added any more.
    pub sealed: bool,
}

/// Places in a file, by record, far apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<(u64, u64)>);

impl Places {
    /// Remembers where a record begins, if the last place is far enough behind.
    pub fn pass(&mut self, seq: u64, offset: u64) {
        let last = self.0.last().map_or(HEADER as u64, |&(_, offset)| offset);
        if offset >= last + SPACING {
            self.0.push((seq, offset));
        }
    }

    /// The nearest place at or before a record.
    fn before(&self, seq: u64) -> Option<(u64, u64)> {
        let after = self.0.partition_point(|&(known, _)| known <= seq);
        self.0.get(after.checked_sub(1)?).copied()
    }
}

/// The open file of a segment.
#[derive(Debug)]
pub(crate) struct Opened {
    pub file: Arc<File>,
    pub header: Header,
    pub places: Mutex<Option<Places>>,
}

/// A segment of the log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub path: PathBuf,
    pub first_seq: u64,
    extent: RwLock<Extent>,
    /// Kept open while it is written to, and after a single record was asked for.
    opened: Mutex<Option<Arc<Opened>>>,
}

pub(crate) type Run = Frames<BufReader<Section>>;

impl Segment {
    pub fn new(path: PathBuf, first_seq: u64, extent: Extent) -> Self {
        Self {
            path,
            first_seq,
            extent: RwLock::new(extent),
            opened: Mutex::new(None),
        }
    }

    pub fn extent(&self) -> Extent {
        *self.extent.read()
    }

    /// Opens the file and checks its header.
    pub fn open(&self) -> Result<Arc<Opened>, LogError> {
        let failed = |error| LogError::io(&self.path, error);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut header = Vec::with_capacity(HEADER);
        (&mut file)
            .take(HEADER as u64)
            .read_to_end(&mut header)
            .map_err(failed)?;
        let header = Header::decode(&header, &self.path, self.first_seq)?;
        Ok(Arc::new(Opened {
            file: Arc::new(file),
            header,
            places: Mutex::new(None),
        }))
    }

    /// Keeps the file open with what is known of its places.
    pub fn keep_open(&self, opened: Arc<Opened>, places: Places) {
        *opened.places.lock() = Some(places);
        *self.opened.lock() = Some(opened);
    }

    /// Tells readers that a group has become durable.
    pub fn grow(&self, bytes: u64, next_seq: u64, starts: impl Iterator<Item = (u64, u64)>) {
        let opened = self.opened.lock().clone();
        if let Some(opened) = opened
            && let Some(places) = &mut *opened.places.lock()
        {
            starts.for_each(|(seq, offset)| places.pass(seq, offset));
        }
        let mut extent = self.extent.write();
        extent.bytes = bytes;
        extent.next_seq = next_seq;
    }

    /// Nothing will be added any more; the file need not stay open.
    pub fn seal(&self) {
        self.extent.write().sealed = true;
        *self.opened.lock() = None;
    }

    /// A run over the frames of the segment that begins at `from` or before it.
    pub fn run(&self, from: u64) -> Result<Run, LogError> {
        let kept = self.opened.lock().clone();
        let opened = match kept {
            Some(opened) => opened,
            None => self.open()?,
        };
        self.run_over(&opened, from)
    }

    /// Reads one record of the segment.
    pub fn get(&self, seq: u64) -> Result<Record, LogError> {
        let opened = self.opened_with_places()?;
        let mut run = self.run_over(&opened, seq)?;
        loop {
            match run
                .step()
                .map_err(|error| LogError::io(&self.path, error))?
            {
                Step::Record(record) if record.seq == seq => return Ok(record),
                Step::Record(_) => {}
                other => return Err(damaged(&self.path, &run, other)),
            }
        }
    }

    fn opened_with_places(&self) -> Result<Arc<Opened>, LogError> {
        let mut kept = self.opened.lock();
        if let Some(opened) = &*kept {
            return Ok(Arc::clone(opened));
        }
        let opened = self.open()?;
        let mut places = Places::default();
        let mut run = self.run_over(&opened, self.first_seq)?;
        loop {
            let (seq, offset) = (run.next_seq, run.offset);
            match run
                .step()
                .map_err(|error| LogError::io(&self.path, error))?
            {
                Step::Record(_) => places.pass(seq, offset),
                // What follows damage is not found by way of the places either.
                Step::End | Step::Bad(_) => break,
            }
        }
        *opened.places.lock() = Some(places);
        *kept = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn run_over(&self, opened: &Opened, from: u64) -> Result<Run, LogError> {
        // Asked after opening: a sealed segment may have been rewritten before, so
        // only the open file knows its length; an unsealed one is never rewritten,
        // but may have bytes that are not durable yet.
        let extent = self.extent();
        let end = if extent.sealed {
            let metadata = opened.file.metadata();
            metadata
                .map_err(|error| LogError::io(&self.path, error))?
                .len()
        } else {
            extent.bytes
        };
        let places = opened.places.lock();
        let place = places.as_ref().and_then(|places| places.before(from));
        let (seq, offset) = place.unwrap_or((self.first_seq, HEADER as u64));
        let section = Section::new(Arc::clone(&opened.file), offset, end);
        let input = BufReader::with_capacity(1 << 16, section);
        Ok(Frames::new(input, opened.header.salt, seq, offset, end))
    }
}

/// Reads what is left of a run's file, from the place where it stopped.
pub(crate) fn read_rest(opened: &Opened, offset: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    Section::new(Arc::clone(&opened.file), offset, end).read_to_end(&mut rest)?;
    Ok(rest)
}
