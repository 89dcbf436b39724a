//! Undoes what lies around the rows: gzip, and the mark of an encoding.
//!
//! Compression is told by the first two bytes rather than by a name, so that
//! a renamed or piped file reads the same.

use crate::IntakeError;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];
const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];
const BUFFER_BYTES: usize = 128 * 1024;

/// Prepares an input for [`crate::Rows`]: gunzips it (several members too) and drops a UTF-8 mark.
///
/// UTF-16 is refused at once; anything else that is wrong comes to light while rows are read.
pub fn open(
    mut reader: impl Read + Send + 'static,
) -> Result<Box<dyn BufRead + Send>, IntakeError> {
    let start = read_start(&mut reader, GZIP_MAGIC.len())?;
    let gzipped = start == GZIP_MAGIC;
    let whole = Cursor::new(start).chain(reader);
    if gzipped {
        unmark(Gunzip(MultiGzDecoder::new(BufReader::with_capacity(
            BUFFER_BYTES,
            whole,
        ))))
    } else {
        unmark(whole)
    }
}

fn unmark(mut reader: impl Read + Send + 'static) -> Result<Box<dyn BufRead + Send>, IntakeError> {
    let mut start = read_start(&mut reader, UTF8_MARK.len())?;
    if UTF16_MARKS.iter().any(|mark| start.starts_with(mark)) {
        return Err(IntakeError::Utf16);
    }
    if start == UTF8_MARK {
        start.clear();
    }
    Ok(Box::new(BufReader::with_capacity(
        BUFFER_BYTES,
        Cursor::new(start).chain(reader),
    )))
}

fn read_start(reader: &mut impl Read, count: usize) -> Result<Vec<u8>, IntakeError> {
    let mut start = Vec::with_capacity(count);
    reader
        .take(count as u64)
        .read_to_end(&mut start)
        .map_err(IntakeError::from_read)?;
    Ok(start)
}

/// Marks the decoder's own errors, so that damage is told apart from a failing disk.
struct Gunzip<R>(R);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct GzipDamage(io::Error);

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                io::Error::new(error.kind(), GzipDamage(error))
            }
            _ => error,
        })
    }
}

impl IntakeError {
    pub(super) fn from_read(error: io::Error) -> Self {
        match error.downcast::<GzipDamage>() {
            Ok(GzipDamage(cause)) => Self::Gzip(cause),
            Err(error) => Self::Read(error),
        }
    }
}
