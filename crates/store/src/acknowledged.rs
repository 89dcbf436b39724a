//! A note, beside the segments, of the last record that was acknowledged.
//!
//! It is overwritten in place after every group and never waited for, so it
//! outlives the process but may lag behind after a power cut: it is a lower
//! bound. A log that ends before it has lost records, whoever cut them off.
//! Two slots take turns, so that a torn write leaves the note before it.

use crate::disk::write_all_at;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

const FILE: &str = "acknowledged";
/// Sequence number, checksum, and padding that keeps a slot in one disk sector.
const SLOT: usize = 16;

/// The open note.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    slot: u64,
}

impl Acknowledged {
    /// The highest record noted in this folder, if any note can be read.
    pub fn read(dir: &Path) -> io::Result<Option<u64>> {
        match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Ok(bytes.chunks_exact(SLOT).filter_map(decode).max()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the note and sets it to this record, lower than before or not.
    pub fn reset(dir: &Path, last: Option<u64>) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))?;
        let slot = last.map_or([0; SLOT], encode);
        write_all_at(&file, &[slot, slot].concat(), 0)?;
        Ok(Self { file, slot: 0 })
    }

    /// Notes that every record up to this one has been acknowledged.
    pub fn note(&mut self, seq: u64) -> io::Result<()> {
        self.slot = 1 - self.slot;
        write_all_at(&self.file, &encode(seq), self.slot * SLOT as u64)
    }
}

fn encode(seq: u64) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(&seq.to_le_bytes());
    // The checksum of the inverted bytes, so that a slot of zeros is no note.
    let crc = crc32fast::hash(&(!seq).to_le_bytes());
    slot[8..12].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<u64> {
    let seq = u64::from_le_bytes(*slot.first_chunk()?);
    (encode(seq) == slot).then_some(seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Acknowledged::read(dir.path()).unwrap(), None);
        let mut note = Acknowledged::reset(dir.path(), None).unwrap();
        assert_eq!(Acknowledged::read(dir.path()).unwrap(), None);
        for seq in 0..5 {
            note.note(seq).unwrap();
            assert_eq!(Acknowledged::read(dir.path()).unwrap(), Some(seq));
        }

        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let latest = bytes
            .chunks_exact(SLOT)
            .position(|slot| decode(slot) == Some(4))
            .unwrap();
        bytes[latest * SLOT + 3] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Acknowledged::read(dir.path()).unwrap(), Some(3), "torn");

        std::fs::write(&path, b"short").unwrap();
        assert_eq!(Acknowledged::read(dir.path()).unwrap(), None);
        Acknowledged::reset(dir.path(), Some(2)).unwrap();
        assert_eq!(Acknowledged::read(dir.path()).unwrap(), Some(2), "lowered");
    }
}
