//! A note, beside the segments, of the last record that was acknowledged.
//!
//! It is overwritten in place after every group and never waited for, so it
//! outlives the process but may lag behind after a power cut: it is a lower
//! bound. A log that ends before it has lost records, whoever cut them off.
//! Two slots take turns, so that a torn write leaves the note before it. The salt
//! of the log stands in it too, for a repair that finds the headers damaged.

use crate::disk::write_all_at;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

const FILE: &str = "acknowledged";
/// Sequence number, salt, checksum.
const SLOT: usize = 16;

/// The open note.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    salt: u32,
    slot: u64,
}

/// What the note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Note {
    /// The last record that was acknowledged, or a later one was.
    pub seq: u64,
    pub salt: u32,
}

impl Acknowledged {
    /// The note with the highest record in this folder, if any can be read.
    pub fn read(dir: &Path) -> io::Result<Option<Note>> {
        match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Ok(bytes.chunks_exact(SLOT).filter_map(decode).max()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the note and sets it to this record, lower than before or not.
    pub fn reset(dir: &Path, salt: u32, last: Option<u64>) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))?;
        let slot = last.map_or([0; SLOT], |seq| encode(Note { seq, salt }));
        write_all_at(&file, &[slot, slot].concat(), 0)?;
        Ok(Self {
            file,
            salt,
            slot: 0,
        })
    }

    /// Notes that every record up to this one has been acknowledged.
    pub fn note(&mut self, seq: u64) -> io::Result<()> {
        self.slot = 1 - self.slot;
        let slot = encode(Note {
            seq,
            salt: self.salt,
        });
        write_all_at(&self.file, &slot, self.slot * SLOT as u64)
    }
}

fn encode(note: Note) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(&note.seq.to_le_bytes());
    slot[8..12].copy_from_slice(&note.salt.to_le_bytes());
    // Inverted, so that a slot of zeros is no note.
    let crc = !crc32fast::hash(&slot[..12]);
    slot[12..].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<Note> {
    let (seq, rest) = slot.split_first_chunk()?;
    let note = Note {
        seq: u64::from_le_bytes(*seq),
        salt: u32::from_le_bytes(*rest.first_chunk()?),
    };
    (encode(note) == slot).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 0x5a17;

    fn noted(dir: &Path) -> Option<u64> {
        let note = Acknowledged::read(dir).unwrap()?;
        assert_eq!(note.salt, SALT);
        Some(note.seq)
    }

    #[test]
    fn the_highest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(noted(dir.path()), None);
        let mut note = Acknowledged::reset(dir.path(), SALT, None).unwrap();
        assert_eq!(noted(dir.path()), None);
        for seq in 0..5 {
            note.note(seq).unwrap();
            assert_eq!(noted(dir.path()), Some(seq));
        }

        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let latest = bytes
            .chunks_exact(SLOT)
            .position(|slot| decode(slot).is_some_and(|note| note.seq == 4))
            .unwrap();
        bytes[latest * SLOT + 3] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(noted(dir.path()), Some(3), "torn");

        std::fs::write(&path, b"short").unwrap();
        assert_eq!(noted(dir.path()), None);
        Acknowledged::reset(dir.path(), SALT, Some(2)).unwrap();
        assert_eq!(noted(dir.path()), Some(2), "lowered");
    }
}
