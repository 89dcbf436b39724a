//! What can be wrong with an input: one row, or the whole of it.
//!
//! A [`Rejected`] row is skipped and reported. An [`IntakeError`] ends the
//! reading, because nothing behind it can be trusted to be a row.

use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::io;

/// Why an input could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
    #[error("the gzip data is cut short or damaged; compress or transfer the file again")]
    Gzip(#[source] io::Error),
    #[error("the input is UTF-16; save the file as UTF-8")]
    Utf16,
    #[error("the JSON is broken at byte {offset}: {reason}")]
    Json { offset: u64, reason: &'static str },
    #[error("the CSV header cannot be used: {reason}")]
    Header { reason: String },
    #[error("a quote opened in line {line} of the CSV is never closed")]
    OpenQuote { line: u64 },
    #[error(transparent)]
    Columns(#[from] crate::MissingColumns),
}

/// A row that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Counted from 1: the line of NDJSON, the record of CSV below its header, the element of JSON.
    pub row: u64,
    /// The attribute or column at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
}

impl Rejected {
    /// A fault of the row as a whole.
    pub(crate) fn row(row: u64, reason: impl Into<String>) -> Self {
        Self {
            row,
            field: None,
            reason: reason.into(),
        }
    }

    /// A fault of one field.
    pub(crate) fn field(row: u64, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            row,
            field: Some(field.into()),
            reason: reason.into(),
        }
    }

    /// The last item of an input that cannot be read further: the fault with all its causes.
    pub(crate) fn fault(row: u64, fault: &IntakeError) -> Self {
        let mut reason = fault.to_string();
        let mut cause = fault.source();
        while let Some(error) = cause {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            cause = error.source();
        }
        Self {
            row,
            field: None,
            reason,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "row {}, field `{field}`: {}", self.row, self.reason),
            None => write!(f, "row {}: {}", self.row, self.reason),
        }
    }
}

/// Shortens text from outside for a message.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
