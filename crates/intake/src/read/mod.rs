//! Turns bytes into rows, one at a time.
//!
//! [`open`] undoes gzip and byte-order marks; [`Rows`] then streams JSON,
//! NDJSON or CSV. No reader ever holds more than one row and no row more than
//! its limit, whatever the input claims.

mod columns;
mod json;
mod lines;
mod object;
mod open;
mod records;
mod rows;

#[cfg(test)]
mod tests;

pub use open::open;
pub(crate) use records::Fields;
pub use rows::{Limits, Row, Rows};

use crate::IntakeError;
use std::io::{BufRead, ErrorKind};

/// What one step of a reader found. The bytes stay in the reader's own buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Row,
    /// The row was longer than the limit and was passed over without being kept.
    TooLong,
    End,
}

/// The bytes at hand, read again when a signal interrupted; empty at the end.
fn fill(reader: &mut dyn BufRead) -> Result<&[u8], IntakeError> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(IntakeError::from_read(error)),
        }
    }
    // Asked a second time because the borrow checker does not let a loop return its borrow;
    // the buffer is filled now, so this reads nothing.
    reader.fill_buf().map_err(IntakeError::from_read)
}
