//! One record as bytes: the frame that carries it in a segment and in a backup.
//!
//! A frame is `length u32, crc u32, seq u64, kind u8, version u8, payload`, all
//! little endian; the length counts what follows the checksum, and the checksum
//! covers it. The checksum starts from the salt of its file, so that bytes chosen
//! by a client can never pass for a frame when a damaged file is searched.

use crc32fast::Hasher;

/// The kind of a record that was damaged beyond reading and given up by a repair.
/// It keeps the sequence number, so that no later record is renumbered.
pub const LOST: u8 = 255;

/// Length and checksum.
pub(crate) const PREFIX: usize = 8;
/// Sequence number, kind and version.
pub(crate) const STAMP: usize = 10;
/// The bytes of a frame besides its payload.
pub(crate) const OVERHEAD: usize = PREFIX + STAMP;

/// A record of the log: typed and versioned by its writer, numbered by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub seq: u64,
    pub kind: u8,
    pub version: u8,
    pub payload: Vec<u8>,
}

/// A record to be appended; the log gives it its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    pub kind: u8,
    pub version: u8,
    pub payload: Vec<u8>,
}

impl NewRecord {
    /// The placeholder for a record that was given up.
    pub(crate) fn lost() -> Self {
        Self {
            kind: LOST,
            version: 0,
            payload: Vec::new(),
        }
    }

    /// The bytes its frame takes.
    pub(crate) fn frame_bytes(&self) -> u64 {
        (OVERHEAD + self.payload.len()) as u64
    }
}

/// The head of a frame, which stands before the payload.
///
/// The payload must be shorter than 4 GiB; the log refuses larger ones before.
pub(crate) fn encode_head(salt: u32, seq: u64, record: &NewRecord) -> [u8; OVERHEAD] {
    let stamp = encode_stamp(seq, record.kind, record.version);
    let length = (STAMP + record.payload.len()) as u32;
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(&stamp);
    hasher.update(&record.payload);
    let mut head = [0; OVERHEAD];
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..PREFIX].copy_from_slice(&hasher.finalize().to_le_bytes());
    head[PREFIX..].copy_from_slice(&stamp);
    head
}

fn encode_stamp(seq: u64, kind: u8, version: u8) -> [u8; STAMP] {
    let mut stamp = [0; STAMP];
    stamp[..8].copy_from_slice(&seq.to_le_bytes());
    stamp[8] = kind;
    stamp[9] = version;
    stamp
}

/// The head of a frame as read, not yet checked against its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Bytes of the payload.
    pub payload: u64,
    pub seq: u64,
    kind: u8,
    version: u8,
    crc: u32,
}

impl Head {
    /// Reads a head; `None` where the length is too small for any record.
    pub fn decode(bytes: &[u8; OVERHEAD]) -> Option<Self> {
        let [l0, l1, l2, l3, c0, c1, c2, c3, seq @ .., kind, version] = *bytes;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        Some(Self {
            payload: u64::from(length.checked_sub(STAMP as u32)?),
            seq: u64::from_le_bytes(seq),
            kind,
            version,
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
        })
    }

    /// Whether the checksum agrees with this payload.
    pub fn matches(&self, salt: u32, payload: &[u8]) -> bool {
        let mut hasher = Hasher::new_with_initial(salt);
        hasher.update(&encode_stamp(self.seq, self.kind, self.version));
        hasher.update(payload);
        hasher.finalize() == self.crc
    }

    /// Joins the head and its payload.
    pub fn into_record(self, payload: Vec<u8>) -> Record {
        Record {
            seq: self.seq,
            kind: self.kind,
            version: self.version,
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_guards_every_bit() {
        let record = NewRecord {
            kind: 3,
            version: 1,
            payload: b"a lamp".to_vec(),
        };
        let bytes = encode_head(7, 41, &record);
        let head = Head::decode(&bytes).unwrap();
        assert_eq!((head.payload, head.seq), (6, 41));
        assert!(head.matches(7, &record.payload));
        assert!(!head.matches(8, &record.payload), "another salt");
        for bit in 0..8 * OVERHEAD {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let intact = Head::decode(&flipped)
                .is_some_and(|head| head.payload == 6 && head.matches(7, &record.payload));
            assert!(!intact, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert!(Head::decode(&[0; OVERHEAD]).is_none());
    }
}
