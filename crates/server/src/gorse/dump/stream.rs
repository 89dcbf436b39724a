//! The stream of a dump: users, then items, then feedback, each record behind its length.
//!
//! All numbers between the records are of 64 bits, little-endian. One above 0 is the length of
//! the record behind it. One below says what the records behind it are, and 0 is the end;
//! whatever stands behind that belongs to nobody.

use std::io::{self, Write};

/// Bytes of one record, as many as of one row of documents.
const LARGEST: usize = 16 << 20;
/// Bytes of a number between the records.
const NUMBER: usize = 8;
const END: i64 = 0;

/// What records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Users,
    Items,
    Feedback,
}

impl Section {
    const ALL: [Self; 3] = [Self::Users, Self::Items, Self::Feedback];

    fn flag(self) -> i64 {
        match self {
            Self::Users => -1,
            Self::Items => -2,
            Self::Feedback => -3,
        }
    }

    /// One of its records.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Items => "item",
            Self::Feedback => "feedback",
        }
    }
}

/// The stream is no dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamError {
    #[error(
        "this is no dump: it begins with {0} instead of -1, -2 or -3 (what is compressed must be unpacked before)"
    )]
    Foreign(i64),
    #[error("{0} between the records is neither a length nor one of the flags 0, -1, -2 and -3")]
    Flag(i64),
    #[error("the {} behind record {before} has {length} bytes; {LARGEST} are the most", section.one())]
    Large {
        section: Section,
        before: u64,
        length: i64,
    },
    #[error("the dump is cut short behind record {0}: its end is missing")]
    Cut(u64),
}

/// Takes a stream apart as its bytes come in.
#[derive(Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// So many of them were taken.
    taken: usize,
    section: Option<Section>,
    records: u64,
    has_ended: bool,
}

impl Stream {
    /// Adds the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next record; `None` where it takes more bytes, or none come any more.
    pub(super) fn next(&mut self) -> Result<Option<(Section, &[u8])>, StreamError> {
        while !self.has_ended {
            let waiting = self.bytes.get(self.taken..).unwrap_or_default();
            let Some((number, behind)) = waiting.split_first_chunk::<NUMBER>() else {
                break;
            };
            let number = i64::from_le_bytes(*number);
            if let Some(section) = self.section.filter(|_| number > END) {
                let length = match usize::try_from(number) {
                    Ok(length) if length <= LARGEST => length,
                    _ => {
                        return Err(StreamError::Large {
                            section,
                            before: self.records,
                            length: number,
                        });
                    }
                };
                if behind.len() < length {
                    break;
                }
                let from = self.taken + NUMBER;
                self.taken = from + length;
                self.records += 1;
                return Ok(Some((section, &self.bytes[from..self.taken])));
            }
            self.turn_to(number)?;
            self.taken += NUMBER;
        }
        Ok(None)
    }

    fn turn_to(&mut self, number: i64) -> Result<(), StreamError> {
        let section = Section::ALL
            .into_iter()
            .find(|section| section.flag() == number);
        match (section, self.section) {
            (Some(section), _) => self.section = Some(section),
            (None, Some(_)) if number == END => self.has_ended = true,
            (None, Some(_)) => return Err(StreamError::Flag(number)),
            (None, None) => return Err(StreamError::Foreign(number)),
        }
        Ok(())
    }

    /// Whether its end has come.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Refuses a stream that broke off, once no more bytes come.
    pub(super) fn finish(&self) -> Result<(), StreamError> {
        match self.has_ended {
            true => Ok(()),
            false => Err(StreamError::Cut(self.records)),
        }
    }
}

/// Says that records of a section follow.
pub(super) fn begin(out: &mut impl Write, section: Section) -> io::Result<()> {
    out.write_all(&section.flag().to_le_bytes())
}

pub(super) fn write(out: &mut impl Write, record: &[u8]) -> io::Result<()> {
    out.write_all(&(record.len() as i64).to_le_bytes())?;
    out.write_all(record)
}

pub(super) fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&END.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Records = Vec<(Section, Vec<u8>)>;

    fn dump(records: &[(Section, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut last = None;
        for &(section, record) in records {
            if last != Some(section) {
                begin(&mut bytes, section).expect("memory");
                last = Some(section);
            }
            write(&mut bytes, record).expect("memory");
        }
        end(&mut bytes).expect("memory");
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Records, StreamError> {
        let mut stream = Stream::default();
        let mut records = Records::new();
        for piece in bytes.chunks(piece) {
            stream.push(piece);
            while let Some((section, record)) = stream.next()? {
                records.push((section, record.to_vec()));
            }
        }
        stream.finish().map(|()| records)
    }

    #[test]
    fn records_come_out_however_the_bytes_come_in() {
        let records: &[(Section, &[u8])] = &[
            (Section::Users, b"ann"),
            (Section::Users, b"b"),
            (Section::Items, b"a longer record than the others"),
            (Section::Feedback, b"x"),
            (Section::Users, b"late"),
        ];
        let mut bytes = dump(records);
        // What the convention writes behind the end.
        bytes.extend(b"{\"Users\":3}");
        let expected: Records = records.iter().map(|&(s, r)| (s, r.to_vec())).collect();
        for piece in 1..bytes.len() {
            assert_eq!(read(&bytes, piece), Ok(expected.clone()), "{piece}");
        }
    }

    #[test]
    fn a_dump_that_is_cut_is_never_taken_for_a_whole_one() {
        let bytes = dump(&[(Section::Users, b"ann"), (Section::Feedback, b"like")]);
        for length in 0..bytes.len() {
            let cut = read(&bytes[..length], 7);
            assert!(matches!(cut, Err(StreamError::Cut(_))), "{length}: {cut:?}");
        }
    }

    #[test]
    fn what_is_no_dump_is_told_so() {
        let gzip = *b"\x1f\x8b\x08\x00\x00\x00\x00\x00";
        let number = i64::from_le_bytes(gzip);
        assert_eq!(read(&gzip, 8), Err(StreamError::Foreign(number)));
        // Not even an end, without a beginning.
        assert_eq!(read(&[0; 8], 8), Err(StreamError::Foreign(0)));
        let mut bytes = dump(&[(Section::Items, b"a")]);
        let at = bytes.len() - NUMBER;
        bytes[at..].copy_from_slice(&(-9_i64).to_le_bytes());
        assert_eq!(read(&bytes, 5), Err(StreamError::Flag(-9)));
        // Refused before anybody waits for so much.
        bytes[at..].copy_from_slice(&i64::MAX.to_le_bytes());
        let large = StreamError::Large {
            section: Section::Items,
            before: 1,
            length: i64::MAX,
        };
        assert_eq!(read(&bytes, 5), Err(large));
    }
}
