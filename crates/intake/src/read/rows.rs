//! The stream of rows over all three formats.
//!
//! A row that cannot be read is handed out as [`Rejected`] and the stream goes
//! on; a fault of the whole input is the last item and is kept for the caller.

use super::Step;
use super::columns::Column;
use super::json::Elements;
use super::lines::Lines;
use super::object::parse_object;
use super::records::{Fields, Records};
use crate::{Format, IntakeError, Map, Rejected};
use std::io::BufRead;

/// How much one row may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line, record or element; a longer one is passed over without being kept.
    pub max_line_bytes: usize,
    /// Levels of objects and lists; a flat object has one. No more than 127 are ever read.
    pub max_depth: usize,
    /// Fields of one row, those of nested objects included.
    pub max_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_line_bytes: 16 << 20,
            max_depth: 64,
            max_fields: 10_000,
        }
    }
}

/// One row as it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Counted from 1: the line of NDJSON, the record of CSV below its header, the element of JSON.
    pub number: u64,
    pub object: Map,
}

/// Streams the rows of an input; see [`crate::open`] for the reader.
///
/// ```
/// use intake::{Format, Limits, Rows, open};
///
/// let text = "{\"id\": 1}\nnot json\n{\"id\": 3}\n";
/// let reader = open(text.as_bytes())?;
/// let (good, bad): (Vec<_>, Vec<_>) = Rows::new(reader, Format::Ndjson, Limits::default()).partition(Result::is_ok);
/// assert_eq!((good.len(), bad.len()), (2, 1));
/// # Ok::<(), intake::IntakeError>(())
/// ```
pub struct Rows {
    reader: Box<dyn BufRead + Send>,
    source: Source,
    limits: Limits,
    number: u64,
    ended: bool,
    fault: Option<IntakeError>,
}

enum Source {
    Json(Elements),
    Ndjson(Lines),
    Csv {
        records: Records,
        header: Option<Vec<Column>>,
    },
}

impl Rows {
    /// Nothing is read before the first row is asked for.
    pub fn new(reader: Box<dyn BufRead + Send>, format: Format, limits: Limits) -> Self {
        let source = match format {
            Format::Json => Source::Json(Elements::default()),
            Format::Ndjson => Source::Ndjson(Lines::default()),
            Format::Csv => Source::Csv {
                records: Records::new(None, limits.max_fields),
                header: None,
            },
        };
        Self {
            reader,
            source,
            limits,
            number: 0,
            ended: false,
            fault: None,
        }
    }

    /// Sets the delimiter of CSV, which is else found in the header.
    pub fn csv_delimiter(mut self, delimiter: u8) -> Self {
        if let Source::Csv { records, .. } = &mut self.source {
            records.set_delimiter(delimiter);
        }
        self
    }

    /// After the last row: what kept the input from being read to its end.
    pub fn fault(&self) -> Option<&IntakeError> {
        self.fault.as_ref()
    }

    pub(crate) fn is_csv(&self) -> bool {
        matches!(self.source, Source::Csv { .. })
    }

    /// Ends the stream because of a fault that a caller found.
    pub(crate) fn fail(&mut self, fault: IntakeError) -> Rejected {
        let rejected = Rejected::fault(self.number + 1, &fault);
        self.ended = true;
        self.fault = Some(fault);
        rejected
    }

    /// The columns of a CSV; `None` when there are none, or the input is not CSV, or it is at its end.
    pub(crate) fn csv_header(&mut self) -> Result<Option<&[Column]>, Rejected> {
        if self.ended {
            return Ok(None);
        }
        if let Err(fault) = self.read_header() {
            return Err(self.fail(fault));
        }
        match &self.source {
            Source::Csv { header, .. } => Ok(header.as_deref()),
            Source::Json(_) | Source::Ndjson(_) => Ok(None),
        }
    }

    /// The next record of a CSV without building an object from it.
    pub(crate) fn next_record(&mut self) -> Option<Result<(u64, Fields<'_>), Rejected>> {
        match self.advance()? {
            Ok(()) => {}
            Err(rejected) => return Some(Err(rejected)),
        }
        let Source::Csv { records, header } = &self.source else {
            return None;
        };
        let columns = header.as_deref().unwrap_or_default();
        Some(checked_record(records, columns, self.number).map(|fields| (self.number, fields)))
    }

    fn read_header(&mut self) -> Result<(), IntakeError> {
        let Source::Csv { records, header } = &mut self.source else {
            return Ok(());
        };
        if header.is_none() {
            *header = records.read_header(self.reader.as_mut(), self.limits.max_line_bytes)?;
            self.ended = header.is_none();
        }
        Ok(())
    }

    /// Brings the next row into the source's buffer.
    fn advance(&mut self) -> Option<Result<(), Rejected>> {
        if self.ended {
            return None;
        }
        match self.step() {
            Ok(Step::Row) => Some(Ok(())),
            Ok(Step::TooLong) => {
                let reason = format!(
                    "it is longer than the limit of {} bytes",
                    self.limits.max_line_bytes
                );
                Some(Err(Rejected::row(self.number, reason)))
            }
            Ok(Step::End) => {
                self.ended = true;
                None
            }
            Err(fault) => Some(Err(self.fail(fault))),
        }
    }

    fn step(&mut self) -> Result<Step, IntakeError> {
        self.read_header()?;
        if self.ended {
            return Ok(Step::End);
        }
        let limit = self.limits.max_line_bytes;
        let reader = self.reader.as_mut();
        loop {
            let step = match &mut self.source {
                Source::Json(elements) => elements.read(reader, limit)?,
                Source::Ndjson(lines) => lines.read(reader, limit)?,
                Source::Csv { records, .. } => records.read(reader, limit)?,
            };
            if step != Step::End {
                self.number += 1;
            }
            // A blank line is counted, because editors count it, but it is no row.
            match &self.source {
                Source::Ndjson(lines) if step == Step::Row && lines.bytes().is_empty() => {}
                _ => return Ok(step),
            }
        }
    }

    fn row(&self) -> Result<Row, Rejected> {
        let number = self.number;
        let object = match &self.source {
            Source::Json(elements) => parse_object(elements.bytes(), number, self.limits)?,
            Source::Ndjson(lines) => parse_object(lines.bytes(), number, self.limits)?,
            Source::Csv { records, header } => {
                let columns = header.as_deref().unwrap_or_default();
                record_object(checked_record(records, columns, number)?, columns, number)?
            }
        };
        Ok(Row { number, object })
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance()? {
            Ok(()) => Some(self.row()),
            Err(rejected) => Some(Err(rejected)),
        }
    }
}

fn checked_record<'a>(
    records: &'a Records,
    columns: &[Column],
    number: u64,
) -> Result<Fields<'a>, Rejected> {
    if records.found() != columns.len() {
        let reason = format!(
            "expected {} columns, found {}",
            columns.len(),
            records.found()
        );
        return Err(Rejected::row(number, reason));
    }
    records.fields().map_err(|bad| {
        let name = columns
            .get(bad.column)
            .map(|column| column.name.clone())
            .unwrap_or_default();
        Rejected::field(
            number,
            name,
            format!(
                "it is not UTF-8 at byte {}; save the file as UTF-8",
                bad.offset
            ),
        )
    })
}

fn record_object(fields: Fields<'_>, columns: &[Column], number: u64) -> Result<Map, Rejected> {
    let mut object = Map::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let text = fields.get(index).unwrap_or_default();
        let value = column
            .cell(text)
            .map_err(|reason| Rejected::field(number, column.name.as_str(), reason))?;
        object.insert(column.name.clone(), value);
    }
    Ok(object)
}
