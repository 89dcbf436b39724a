//! The first bytes of a segment file: what it is, and where it belongs.
//!
//! A header is `magic, version u32, salt u32, first seq u64, first seq of the
//! segment before u64, crc u32`. The link to the segment before makes a missing
//! file visible from the headers alone.

use crate::error::{Damage, LogError};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

const MAGIC: &[u8; 8] = b"VTRNLOG1";
const VERSION: u32 = 1;
/// Stands for "this is the first segment".
const NO_SEGMENT: u64 = u64::MAX;
/// The bytes of a header.
pub(crate) const HEADER: usize = 36;

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Where the checksums of the segment's frames start from; the same in all
    /// segments of a log, so that a lost header does not take its frames with it.
    pub salt: u32,
    pub first_seq: u64,
    /// The first record of the segment before; `None` for the first segment.
    pub previous: Option<u64>,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.previous.unwrap_or(NO_SEGMENT).to_le_bytes());
        let crc = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header at the beginning of these bytes, which are those of `path`.
    /// `named` is the first record that the file's name promises.
    pub fn decode(bytes: &[u8], path: &Path, named: u64) -> Result<Self, LogError> {
        let damaged = |what| LogError::Damaged {
            path: path.to_path_buf(),
            offset: 0,
            seq: named,
            what,
        };
        let Some(bytes) = bytes.first_chunk::<HEADER>() else {
            return Err(damaged(Damage::Header));
        };
        if !bytes.starts_with(MAGIC) || crc32fast::hash(&bytes[..32]) != u32_at(bytes, 32) {
            return Err(damaged(Damage::Header));
        }
        let version = u32_at(bytes, 8);
        if version > VERSION {
            return Err(LogError::Newer {
                path: path.to_path_buf(),
                found: version,
                supported: VERSION,
            });
        }
        let header = Self {
            salt: u32_at(bytes, 12),
            first_seq: u64_at(bytes, 16),
            previous: Some(u64_at(bytes, 24)).filter(|&seq| seq != NO_SEGMENT),
        };
        if header.first_seq != named {
            let header = header.first_seq;
            return Err(damaged(Damage::Misnamed { header }));
        }
        Ok(header)
    }
}

/// A salt for a new log, which nobody outside can foresee.
pub(crate) fn new_salt() -> u32 {
    RandomState::new().hash_one(MAGIC) as u32
}

/// The name of the segment that begins with this record.
pub(crate) fn file_name(first_seq: u64) -> String {
    format!("{first_seq:020}.seg")
}

/// The first record that a segment's name promises.
pub(crate) fn named_seq(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let digits = stem.len() == 20 && stem.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| stem.parse().ok()).flatten()
}

fn u32_at(bytes: &[u8; HEADER], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(first_seq: u64, previous: Option<u64>) -> Header {
        Header {
            salt: new_salt(),
            first_seq,
            previous,
        }
    }

    fn decode(bytes: &[u8]) -> Result<Header, LogError> {
        Header::decode(bytes, Path::new("00000000000000000007.seg"), 7)
    }

    /// Puts a right checksum under changed bytes.
    fn sealed(mut bytes: [u8; HEADER]) -> [u8; HEADER] {
        let crc = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    #[test]
    fn a_header_reads_back_and_guards_every_bit() {
        for previous in [None, Some(3)] {
            let header = header(7, previous);
            let bytes = header.encode();
            assert_eq!(decode(&bytes).unwrap(), header);
            for bit in 0..8 * HEADER {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                let refused = decode(&flipped).unwrap_err();
                assert!(
                    matches!(refused, LogError::Damaged { .. }),
                    "bit {bit}: {refused}"
                );
            }
        }
    }

    #[test]
    fn damage_and_other_versions_are_told_apart() {
        let mut newer = header(7, None).encode();
        newer[8] = 2;
        let refused = decode(&sealed(newer)).unwrap_err().to_string();
        assert!(
            refused.contains("version 2, newer than version 1"),
            "{refused}"
        );

        let other = decode(&[b'x'; HEADER]).unwrap_err();
        assert!(matches!(other, LogError::Damaged { .. }), "{other}");

        let misnamed = decode(&header(8, None).encode()).unwrap_err();
        assert!(misnamed.to_string().contains("gives, 8"), "{misnamed}");

        let short = decode(b"VTRNLOG1").unwrap_err();
        assert!(matches!(short, LogError::Damaged { .. }), "{short}");
    }

    #[test]
    fn names_sort_like_numbers_and_read_back() {
        let name = file_name(u64::MAX);
        assert_eq!(named_seq(Path::new(&name)), Some(u64::MAX));
        assert!(file_name(9) < file_name(10));
        assert_eq!(named_seq(Path::new("7.seg")), None);
        assert_eq!(named_seq(Path::new("+0000000000000000007.seg")), None);
    }
}
