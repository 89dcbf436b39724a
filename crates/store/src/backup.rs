//! The whole log as one file, taken while writes go on, with files that are not in the log.
//!
//! A backup is `magic, version u32, count u64, crc u32`, then one frame for each
//! record in order, then files, then the checksum of everything before it. A file is
//! `length of its name u16, name, size u64, bytes`; a name of length 0 ends them. Every
//! record is checked as it is read, so a damaged log cannot become a quiet backup. Views
//! are not in it: they are rebuilt from the log at the next start. Version 1 had no files.

use crate::error::LogError;
use crate::frame::{NewRecord, encode_head};
use crate::log::Log;
use crc32fast::Hasher;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

pub(crate) const MAGIC: &[u8; 8] = b"VTRNBKP1";
pub(crate) const VERSION: u32 = 2;
/// The last version without files.
pub(crate) const WITHOUT_FILES: u32 = 1;
/// Bytes of a name at most: a path inside the data folder.
pub(crate) const MOST_NAME: usize = 1024;
pub(crate) const HEAD: usize = 24;
/// A backup stands alone, so its checksums need no salt of their own.
pub(crate) const SALT: u32 = 0;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub records: u64,
    pub files: u64,
    /// The bytes of the backup.
    pub bytes: u64,
}

/// A file that goes along with the log. It must not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// Its path inside the data folder, with `/` between the parts.
    pub name: String,
    /// Where it lies now.
    pub path: PathBuf,
}

/// Why a backup could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    #[error("the log cannot be read, so no backup was made")]
    Log(#[from] LogError),
    #[error("the backup cannot be written: check the space left where it goes")]
    Write(#[from] io::Error),
    #[error("{} cannot be read, so no backup was made", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Writes every record that is durable now, then the files that `files` names: it is asked
/// behind the records, so that no file is missing that one of them speaks of.
pub fn backup(
    log: &Log,
    files: impl FnOnce() -> Vec<BackupFile>,
    out: &mut dyn Write,
) -> Result<BackupReport, BackupError> {
    let count = log.next_seq();
    let mut out = Summed::new(out);
    out.write(&encode_head_of_file(VERSION, count))?;
    for record in log.read(0) {
        let record = record?;
        if record.seq >= count {
            break; // appended since
        }
        let frame = NewRecord {
            kind: record.kind,
            version: record.version,
            payload: record.payload,
        };
        out.write(&encode_head(SALT, record.seq, &frame))?;
        out.write(&frame.payload)?;
    }
    let mut written = 0;
    for file in files() {
        written += u64::from(write_file(&file, &mut out)?);
    }
    out.write(&0_u16.to_le_bytes())?;
    let sum = out.hasher.clone().finalize();
    out.write(&sum.to_le_bytes())?;
    out.inner.flush()?;
    Ok(BackupReport {
        records: count,
        files: written,
        bytes: out.bytes,
    })
}

/// Writes one file; false where it is gone.
fn write_file(file: &BackupFile, out: &mut Summed<'_>) -> Result<bool, BackupError> {
    let failed = |source| BackupError::File {
        path: file.path.clone(),
        source,
    };
    let length = u16::try_from(file.name.len())
        .ok()
        .filter(|&length| (1..=MOST_NAME).contains(&usize::from(length)));
    let length = length.ok_or_else(|| failed(io::Error::other("its name is empty or too long")))?;
    let mut input = match File::open(&file.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(failed)?,
    };
    let size = input.metadata().map_err(failed)?.len();
    out.write(&length.to_le_bytes())?;
    out.write(file.name.as_bytes())?;
    out.write(&size.to_le_bytes())?;
    let mut part = vec![0; 1 << 16];
    let mut left = size;
    while left > 0 {
        let wanted = usize::try_from(left).map_or(part.len(), |left| left.min(part.len()));
        match input.read(&mut part[..wanted]) {
            Ok(0) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                out.write(&part[..count])?;
                left -= count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(true)
}

/// The first bytes of a backup of this many records.
pub(crate) fn encode_head_of_file(version: u32, count: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&version.to_le_bytes());
    head[12..20].copy_from_slice(&count.to_le_bytes());
    let crc = crc32fast::hash(&head[..20]);
    head[20..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Counts and sums what passes.
struct Summed<'a> {
    inner: &'a mut dyn Write,
    hasher: Hasher,
    bytes: u64,
}

impl<'a> Summed<'a> {
    fn new(inner: &'a mut dyn Write) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
            bytes: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.inner.write_all(bytes)
    }
}
