//! The whole log as one file, taken while writes go on.
//!
//! A backup is `magic, version u32, count u64, crc u32`, then one frame for each
//! record in order, then the checksum of everything before it. Every record is
//! checked as it is read, so a damaged log cannot become a quiet backup. Views
//! are not in it: they are rebuilt from the log at the next start.

use crate::error::LogError;
use crate::frame::{NewRecord, encode_head};
use crate::log::Log;
use crc32fast::Hasher;
use std::io::{self, Write};

pub(crate) const MAGIC: &[u8; 8] = b"VTRNBKP1";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEAD: usize = 24;
/// A backup stands alone, so its checksums need no salt of their own.
pub(crate) const SALT: u32 = 0;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub records: u64,
    /// The bytes of the backup.
    pub bytes: u64,
}

/// Why a backup could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    #[error("the log cannot be read, so no backup was made")]
    Log(#[from] LogError),
    #[error("the backup cannot be written: check the space left where it goes")]
    Write(#[from] io::Error),
}

/// Writes every record that is durable now.
pub fn backup(log: &Log, out: &mut dyn Write) -> Result<BackupReport, BackupError> {
    let count = log.next_seq();
    let mut out = Summed::new(out);
    out.write(&encode_head_of_file(count))?;
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
    let sum = out.hasher.clone().finalize();
    out.write(&sum.to_le_bytes())?;
    out.inner.flush()?;
    Ok(BackupReport {
        records: count,
        bytes: out.bytes,
    })
}

/// The first bytes of a backup of this many records.
pub(crate) fn encode_head_of_file(count: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
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
