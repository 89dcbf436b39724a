//! Reading frames one after another, and judging what follows the last good one.
//!
//! A write that was cut short leaves bytes at the end that are no frame: they
//! were never acknowledged and may go. A bad place with a good frame behind it
//! is damage: something acknowledged is lost there, and that is never passed over.

use crate::error::Damage;
use crate::frame::{Head, OVERHEAD, Record};
use std::io::{self, ErrorKind, Read};

/// No group of records is so large that a later frame is numbered farther away.
const PLAUSIBLE: u64 = 1 << 32;
/// A payload is read in steps, so that a wrong length cannot claim the memory.
const STEP: usize = 1 << 20;

/// Reads the frames between two places of a file.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    input: R,
    salt: u32,
    /// The number that the next frame must bear.
    pub next_seq: u64,
    /// Where the next frame begins.
    pub offset: u64,
    /// Where the last frame must end.
    pub end: u64,
}

/// What stands at the next place.
#[derive(Debug)]
pub(crate) enum Step {
    Record(Record),
    End,
    Bad(Damage),
}

impl<R: Read> Frames<R> {
    /// `input` must stand at `offset`.
    pub fn new(input: R, salt: u32, next_seq: u64, offset: u64, end: u64) -> Self {
        Self {
            input,
            salt,
            next_seq,
            offset,
            end,
        }
    }

    /// Reads one frame. After anything but a record the reader must not be used again.
    pub fn step(&mut self) -> io::Result<Step> {
        match self.read_frame() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Ok(Step::Bad(Damage::EndsEarly))
            }
            result => result,
        }
    }

    fn read_frame(&mut self) -> io::Result<Step> {
        let left = self.end.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < OVERHEAD as u64 {
            return Ok(Step::Bad(Damage::EndsEarly));
        }
        let mut bytes = [0; OVERHEAD];
        self.input.read_exact(&mut bytes)?;
        let Some(head) = Head::decode(&bytes) else {
            return Ok(Step::Bad(Damage::Length));
        };
        if head.payload > left - OVERHEAD as u64 {
            return Ok(Step::Bad(Damage::Length));
        }
        let payload = self.read_payload(head.payload)?;
        if !head.matches(self.salt, &payload) {
            return Ok(Step::Bad(Damage::Checksum));
        }
        if head.seq != self.next_seq {
            return Ok(Step::Bad(Damage::Sequence { found: head.seq }));
        }
        self.offset += OVERHEAD as u64 + head.payload;
        self.next_seq = self.next_seq.saturating_add(1);
        Ok(Step::Record(head.into_record(payload)))
    }

    fn read_payload(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let wanted = usize::try_from(length).map_err(|_| ErrorKind::OutOfMemory)?;
        let mut payload = Vec::new();
        while payload.len() < wanted {
            let have = payload.len();
            payload.resize(wanted.min(have + STEP.max(have)), 0);
            self.input.read_exact(&mut payload[have..])?;
        }
        Ok(payload)
    }
}

/// A frame found behind a bad place.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it begins, counted from the bad place.
    pub offset: usize,
    pub record: Record,
}

/// Searches behind a bad place for a frame numbered `from` or somewhat later.
pub(crate) fn find_frame(bytes: &[u8], salt: u32, from: u64) -> Option<Found> {
    let last = from.saturating_add(PLAUSIBLE);
    for (offset, window) in bytes.windows(OVERHEAD).enumerate() {
        let Some(head) = window.first_chunk().and_then(Head::decode) else {
            continue;
        };
        if head.seq < from || head.seq > last {
            continue;
        }
        let payload = usize::try_from(head.payload).ok().and_then(|length| {
            let start = offset + OVERHEAD;
            bytes.get(start..start.checked_add(length)?)
        });
        if let Some(payload) = payload
            && head.matches(salt, payload)
        {
            let record = head.into_record(payload.to_vec());
            return Some(Found { offset, record });
        }
    }
    None
}

/// How a run of frames ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a whole frame.
    Clean,
    /// With bytes of a write that was cut short; no whole frame follows them.
    Torn { offset: u64 },
    /// At damage: whole frames follow, or the next frame bears a wrong number.
    Damaged { offset: u64, seq: u64, what: Damage },
}

/// Frames read from memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The records before the ending, in order and without a gap.
    pub records: Vec<Record>,
    pub ending: Ending,
}

/// Decodes a run of frames, the first of which must be numbered `first_seq`.
///
/// This is what opening a log does with its last segment, on bytes in memory:
/// it accepts any bytes at all, and its result says how far they are good.
pub fn decode_frames(bytes: &[u8], salt: u32, first_seq: u64) -> Decoded {
    let mut frames = Frames::new(bytes, salt, first_seq, 0, bytes.len() as u64);
    let mut records = Vec::new();
    let ending = loop {
        match frames.step() {
            Ok(Step::Record(record)) => records.push(record),
            Ok(Step::End) => break Ending::Clean,
            Ok(Step::Bad(what)) => {
                let at = usize::try_from(frames.offset).unwrap_or(usize::MAX);
                let rest = bytes.get(at..).unwrap_or_default();
                break judge(rest, salt, frames.offset, frames.next_seq, what);
            }
            // Reading from memory fails only for want of it.
            Err(_) => {
                break Ending::Damaged {
                    offset: frames.offset,
                    seq: frames.next_seq,
                    what: Damage::Length,
                };
            }
        }
    };
    Decoded { records, ending }
}

/// Decodes the bytes of a segment file; `None` where the header is not a good one.
pub fn decode_segment(bytes: &[u8]) -> Option<Decoded> {
    use crate::header::{HEADER, Header};
    let named = u64::from_le_bytes(*bytes.get(16..24)?.first_chunk()?);
    let header = Header::decode(bytes, std::path::Path::new(""), named).ok()?;
    let frames = bytes.get(HEADER..)?;
    Some(decode_frames(frames, header.salt, header.first_seq))
}

/// Judges the bytes from a bad place to the end of the last segment.
pub(crate) fn judge(rest: &[u8], salt: u32, offset: u64, seq: u64, what: Damage) -> Ending {
    let numbered_wrongly = matches!(what, Damage::Sequence { .. });
    if numbered_wrongly || find_frame(rest, salt, seq).is_some() {
        Ending::Damaged { offset, seq, what }
    } else {
        Ending::Torn { offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{NewRecord, encode_head};
    use proptest::prelude::*;

    const SALT: u32 = 0x5a17;

    fn frames(payloads: &[&[u8]], first_seq: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (seq, payload) in (first_seq..).zip(payloads) {
            let record = NewRecord {
                kind: 1,
                version: 1,
                payload: payload.to_vec(),
            };
            bytes.extend(encode_head(SALT, seq, &record));
            bytes.extend(*payload);
        }
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], whole: usize, ending: Ending) {
        let decoded = decode_frames(bytes, SALT, 5);
        assert_eq!(decoded.records.len(), whole);
        assert_eq!(decoded.ending, ending);
    }

    #[test]
    fn a_cut_tail_is_torn_and_a_bad_middle_is_damage() {
        let whole = frames(&[b"one", b"two", b"three"], 5);
        let two = frames(&[b"one", b"two"], 5).len();
        check(&whole, 3, Ending::Clean);
        check(b"", 0, Ending::Clean);
        for cut in two + 1..whole.len() {
            let offset = two as u64;
            check(&whole[..cut], 2, Ending::Torn { offset });
        }
        let mut zeroed = whole[..two].to_vec();
        zeroed.resize(two + 4096, 0);
        let offset = two as u64;
        check(&zeroed, 2, Ending::Torn { offset });

        let mut flipped = whole.clone();
        flipped[OVERHEAD] ^= 1;
        let what = Damage::Checksum;
        let (offset, seq) = (0, 5);
        check(&flipped, 0, Ending::Damaged { offset, seq, what });
    }

    #[test]
    fn a_removed_frame_is_damage_even_at_the_end() {
        let mut bytes = frames(&[b"one"], 5);
        let offset = bytes.len() as u64;
        bytes.extend(frames(&[b"three"], 7));
        let what = Damage::Sequence { found: 7 };
        check(
            &bytes,
            1,
            Ending::Damaged {
                offset,
                seq: 6,
                what,
            },
        );
    }

    #[test]
    fn a_frame_of_another_salt_inside_a_torn_payload_is_no_frame() {
        let inner = frames(&[b"forged"], 5);
        let record = NewRecord {
            kind: 1,
            version: 1,
            payload: [&inner[..], b"and more"].concat(),
        };
        let other = SALT + 1;
        let mut bytes = encode_head(other, 5, &record).to_vec();
        bytes.extend(&inner);
        let decoded = decode_frames(&bytes, other, 5);
        assert_eq!(decoded.ending, Ending::Torn { offset: 0 });
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let decoded = decode_frames(&bytes, SALT, 0);
            prop_assert!(decoded.records.len() <= bytes.len() / OVERHEAD);
            prop_assert!(decode_segment(&bytes).is_none());
        }

        #[test]
        fn a_changed_byte_never_changes_a_record(at in 0_usize..87, value in any::<u8>()) {
            let whole = frames(&[b"one", b"two", b"three", b"four"], 5);
            let mut bytes = whole.clone();
            bytes[at] = value;
            let good = decode_frames(&whole, SALT, 5).records;
            let decoded = decode_frames(&bytes, SALT, 5);
            prop_assert!(good.starts_with(&decoded.records));
            let touched = bytes != whole;
            prop_assert_eq!(touched, decoded.ending != Ending::Clean);
        }
    }
}
