//! A log folder from a backup, whole or not at all.
//!
//! The records are written into a folder beside the target, which takes the
//! target's name only when the backup has been read to its last byte and found
//! good. A damaged backup leaves nothing behind.

use crate::backup::{HEAD, SALT, VERSION, encode_head_of_file};
use crate::disk::{create_dirs, parent, sync_dir};
use crate::error::{Damage, LogError};
use crate::frame::NewRecord;
use crate::log::{Log, LogOptions};
use crate::scan::{Frames, Step};
use crc32fast::Hasher;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Records are appended in groups of about this many bytes.
const GROUP: usize = 4 << 20;

/// What a restored log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    pub records: u64,
    /// The bytes of the backup.
    pub bytes: u64,
    pub last_seq: Option<u64>,
}

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    #[error(
        "{} is not empty: restore into a new folder, or move the old one away first",
        path.display()
    )]
    NotEmpty { path: PathBuf },
    #[error("this is no backup: it does not begin with the mark of one")]
    Foreign,
    #[error(
        "the backup has format version {found}, newer than version {supported}, which this program knows: use the program that wrote it, or a newer one"
    )]
    Newer { found: u32, supported: u32 },
    #[error(
        "the backup is damaged at byte {offset}, where record {seq} should stand: {what}; nothing was restored, use another copy"
    )]
    Damaged { offset: u64, seq: u64, what: Damage },
    #[error("the backup is damaged: {0}; nothing was restored, use another copy")]
    Unsound(&'static str),
    #[error("the backup cannot be read")]
    Read(#[source] io::Error),
    #[error("the restored log cannot be written")]
    Write(#[from] LogError),
}

/// Makes the log folder `dir`, which must be missing or empty, from a backup.
pub fn restore(input: &mut dyn Read, dir: &Path) -> Result<RestoreReport, RestoreError> {
    let failed = |error| RestoreError::Write(LogError::io(dir, error));
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let path = dir.to_path_buf();
                return Err(RestoreError::NotEmpty { path });
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let beside = Beside::create(dir).map_err(failed)?;
    let report = fill(input, &beside.path)?;
    beside.take_place(dir).map_err(failed)?;
    Ok(report)
}

fn fill(input: &mut dyn Read, dir: &Path) -> Result<RestoreReport, RestoreError> {
    let mut input = Summed {
        inner: BufReader::with_capacity(1 << 16, input),
        hasher: Hasher::new(),
    };
    let count = read_count(&mut input)?;
    let (log, _) = Log::open(dir, LogOptions::default())?;
    let mut frames = Frames::new(&mut input, SALT, 0, HEAD as u64, u64::MAX);
    let mut group = Vec::new();
    let mut group_bytes = 0;
    while frames.next_seq < count {
        let record = match frames.step().map_err(RestoreError::Read)? {
            Step::Record(record) => record,
            Step::Bad(what) => {
                let (offset, seq) = (frames.offset, frames.next_seq);
                return Err(RestoreError::Damaged { offset, seq, what });
            }
            Step::End => return Err(RestoreError::Unsound("it ends before its last record")),
        };
        group_bytes += record.payload.len();
        group.push(NewRecord {
            kind: record.kind,
            version: record.version,
            payload: record.payload,
        });
        if group_bytes >= GROUP {
            log.append_unchecked(&group)?;
            group.clear();
            group_bytes = 0;
        }
    }
    log.append_unchecked(&group)?;
    let bytes = frames.offset + 4;
    check_trailer(&mut input)?;
    Ok(RestoreReport {
        records: count,
        bytes,
        last_seq: log.last_seq(),
    })
}

/// Reads the head of the file: how many records follow.
fn read_count(input: &mut impl Read) -> Result<u64, RestoreError> {
    let mut head = [0; HEAD];
    input
        .read_exact(&mut head)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => RestoreError::Foreign,
            _ => RestoreError::Read(error),
        })?;
    let [m @ .., c0, c1, c2, c3, c4, c5, c6, c7, _, _, _, _] = head;
    let count = u64::from_le_bytes([c0, c1, c2, c3, c4, c5, c6, c7]);
    let [magic @ .., v0, v1, v2, v3] = m;
    let found = u32::from_le_bytes([v0, v1, v2, v3]);
    let expected = encode_head_of_file(count);
    if !expected.starts_with(&magic) {
        return Err(RestoreError::Foreign);
    }
    if head == expected {
        return Ok(count);
    }
    let crc = crc32fast::hash(&head[..HEAD - 4]).to_le_bytes();
    if found > VERSION && head.ends_with(&crc) {
        let supported = VERSION;
        return Err(RestoreError::Newer { found, supported });
    }
    Err(RestoreError::Unsound(
        "its head does not match its checksum",
    ))
}

fn check_trailer<R: Read>(input: &mut Summed<R>) -> Result<(), RestoreError> {
    let sum = input.hasher.clone().finalize();
    let mut trailer = [0; 4];
    input
        .read_exact(&mut trailer)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => RestoreError::Unsound("its checksum is missing"),
            _ => RestoreError::Read(error),
        })?;
    if u32::from_le_bytes(trailer) != sum {
        return Err(RestoreError::Unsound("it does not match its checksum"));
    }
    match input.read(&mut [0]).map_err(RestoreError::Read)? {
        0 => Ok(()),
        _ => Err(RestoreError::Unsound("bytes follow its end")),
    }
}

/// Sums what is read.
struct Summed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// The folder in the making; gone unless it took the target's place.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn create(target: &Path) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(".restoring");
        let path = target.with_file_name(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        create_dirs(&path)?;
        Ok(Self { path })
    }

    fn take_place(self, target: &Path) -> io::Result<()> {
        sync_dir(&self.path)?;
        match fs::remove_dir(target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&self.path, target)?;
        sync_dir(parent(target))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
