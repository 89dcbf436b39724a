//! Records of CSV, each within the limit.
//!
//! The same dialect as the `csv` crate reads by default (quotes count at the
//! start of a field, a doubled quote stands for one, blank lines are skipped,
//! lines end with LF, CR or both), but a record beyond the limit is passed
//! over without being kept, and a quote that is never closed is an error.

use super::columns::{Column, columns, likeliest_delimiter};
use super::{Step, fill};
use crate::IntakeError;
use std::io::BufRead;

#[derive(Debug)]
pub(super) struct Records {
    delimiter: Option<u8>,
    max_columns: usize,
    /// The fields of the record one after the other, unquoted, and where each ends.
    data: Vec<u8>,
    ends: Vec<usize>,
    /// Fields seen, also those beyond what is kept.
    found: usize,
    too_long: bool,
    state: State,
    /// Counts line feeds, from 1.
    line: u64,
    quote_line: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted field: its end, or the first half of a doubled one.
    Quote,
}

/// The fields of one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Fields<'a> {
    pub(crate) fn get(&self, index: usize) -> Option<&'a str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

impl Records {
    pub(super) fn new(delimiter: Option<u8>, max_columns: usize) -> Self {
        Self {
            delimiter,
            max_columns,
            data: Vec::new(),
            ends: Vec::new(),
            found: 0,
            too_long: false,
            state: State::RecordStart,
            line: 1,
            quote_line: 1,
        }
    }

    pub(super) fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = Some(delimiter);
    }

    /// Reads the header and, unless it was given, finds the delimiter in it. `None`: nothing but blank lines.
    pub(super) fn read_header(
        &mut self,
        reader: &mut dyn BufRead,
        limit: usize,
    ) -> Result<Option<Vec<Column>>, IntakeError> {
        let mut raw = self.read_raw_line(reader, limit)?;
        // Spreadsheets announce their delimiter in a line of its own.
        if let Some(&[delimiter]) = raw.strip_prefix(b"sep=") {
            self.delimiter.get_or_insert(delimiter);
            raw = self.read_raw_line(reader, limit)?;
        }
        if raw.is_empty() {
            return Ok(None);
        }
        let delimiter = *self
            .delimiter
            .get_or_insert_with(|| likeliest_delimiter(&raw));
        self.start_record();
        self.scan(&raw, delimiter, limit);
        if self.state == State::Quoted {
            return Err(IntakeError::OpenQuote {
                line: self.quote_line,
            });
        }
        self.end_field();
        self.state = State::RecordStart;
        if self.found > self.max_columns {
            let reason = format!(
                "it has {} columns, but at most {} are read",
                self.found, self.max_columns
            );
            return Err(IntakeError::Header { reason });
        }
        let fields = self.fields().map_err(|bad| IntakeError::Header {
            reason: format!(
                "column {} is not UTF-8 at byte {}; save the file as UTF-8",
                bad.column + 1,
                bad.offset
            ),
        })?;
        columns(fields).map(Some)
    }

    /// Reads the next record.
    pub(super) fn read(
        &mut self,
        reader: &mut dyn BufRead,
        limit: usize,
    ) -> Result<Step, IntakeError> {
        let delimiter = self.delimiter.unwrap_or(b',');
        self.start_record();
        loop {
            let chunk = fill(reader)?;
            if chunk.is_empty() {
                match self.state {
                    State::RecordStart => return Ok(Step::End),
                    State::Quoted => {
                        return Err(IntakeError::OpenQuote {
                            line: self.quote_line,
                        });
                    }
                    State::FieldStart | State::Plain | State::Quote => self.end_field(),
                }
                self.state = State::RecordStart;
                break;
            }
            let (used, complete) = self.scan(chunk, delimiter, limit);
            reader.consume(used);
            if complete {
                break;
            }
        }
        Ok(if self.too_long {
            Step::TooLong
        } else {
            Step::Row
        })
    }

    /// How many fields the record last read has.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// The record last read as text, or the first field that is not UTF-8.
    pub(super) fn fields(&self) -> Result<Fields<'_>, BadBytes> {
        if let Ok(text) = std::str::from_utf8(&self.data)
            // Halves of one character must not meet across a delimiter.
            && self.ends.iter().all(|&end| text.is_char_boundary(end))
        {
            return Ok(Fields {
                text,
                ends: &self.ends,
            });
        }
        let mut start = 0;
        for (column, &end) in self.ends.iter().enumerate() {
            if let Err(error) = std::str::from_utf8(self.data.get(start..end).unwrap_or_default()) {
                return Err(BadBytes {
                    column,
                    offset: error.valid_up_to() + 1,
                });
            }
            start = end;
        }
        Err(BadBytes {
            column: 0,
            offset: 1,
        })
    }

    fn start_record(&mut self) {
        self.data.clear();
        self.ends.clear();
        self.found = 0;
        self.too_long = false;
    }

    /// Takes bytes until the record is complete; tells how many, and whether it is.
    fn scan(&mut self, chunk: &[u8], delimiter: u8, limit: usize) -> (usize, bool) {
        let mut rest = chunk;
        while let Some((&byte, behind)) = rest.split_first() {
            match self.state {
                State::RecordStart if byte == b'\n' || byte == b'\r' => {
                    self.line += u64::from(byte == b'\n');
                    rest = behind;
                }
                State::RecordStart => self.state = State::FieldStart,
                State::FieldStart if byte == b'"' => {
                    self.quote_line = self.line;
                    self.state = State::Quoted;
                    rest = behind;
                }
                State::Quote if byte == b'"' => {
                    self.push(b"\"", limit);
                    self.state = State::Quoted;
                    rest = behind;
                }
                State::Quoted => {
                    let run = rest
                        .iter()
                        .position(|&byte| byte == b'"')
                        .unwrap_or(rest.len());
                    let (text, more) = rest.split_at(run);
                    self.line += text.iter().filter(|&&byte| byte == b'\n').count() as u64;
                    self.push(text, limit);
                    rest = match more.split_first() {
                        Some((_, behind)) => {
                            self.state = State::Quote;
                            behind
                        }
                        None => more,
                    };
                }
                State::FieldStart | State::Quote | State::Plain => {
                    let ends_field =
                        |&byte: &u8| byte == delimiter || byte == b'\n' || byte == b'\r';
                    let run = rest.iter().position(ends_field).unwrap_or(rest.len());
                    let (text, more) = rest.split_at(run);
                    self.push(text, limit);
                    self.state = State::Plain;
                    let Some((&end, behind)) = more.split_first() else {
                        break;
                    };
                    self.end_field();
                    rest = behind;
                    if end == delimiter {
                        self.state = State::FieldStart;
                    } else {
                        self.line += u64::from(end == b'\n');
                        self.state = State::RecordStart;
                        return (chunk.len() - rest.len(), true);
                    }
                }
            }
        }
        (chunk.len(), false)
    }

    fn push(&mut self, text: &[u8], limit: usize) {
        if self.data.len() + text.len() > limit {
            self.too_long = true;
            self.data.clear();
            self.ends.clear();
        }
        if !self.too_long {
            self.data.extend_from_slice(text);
        }
    }

    fn end_field(&mut self) {
        self.found += 1;
        // Delimiters alone must not grow a record without bound either.
        if self.ends.len() < self.max_columns && !self.too_long {
            self.ends.push(self.data.len());
        }
    }

    /// The first line that is not blank, quotes and all, without its end.
    fn read_raw_line(
        &mut self,
        reader: &mut dyn BufRead,
        limit: usize,
    ) -> Result<Vec<u8>, IntakeError> {
        let mut raw = Vec::new();
        let mut in_quotes = false;
        loop {
            let chunk = fill(reader)?;
            if chunk.is_empty() {
                return if in_quotes {
                    Err(IntakeError::OpenQuote { line: self.line })
                } else {
                    Ok(raw)
                };
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                let line_end = !in_quotes && (byte == b'\n' || byte == b'\r');
                if line_end {
                    self.line += u64::from(byte == b'\n');
                    ended = !raw.is_empty();
                    if ended {
                        break;
                    }
                } else {
                    in_quotes ^= byte == b'"';
                    raw.push(byte);
                }
            }
            reader.consume(used);
            if ended {
                return Ok(raw);
            }
            if raw.len() > limit {
                return Err(IntakeError::Header {
                    reason: format!("it is longer than {limit} bytes"),
                });
            }
        }
    }
}

/// Where a record is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadBytes {
    pub(crate) column: usize,
    /// From 1, within the field.
    pub(crate) offset: usize,
}
