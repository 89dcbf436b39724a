//! The header of a CSV: its delimiter, and the names and types of its columns.
//!
//! A header that leaves a column unnamed, or names two alike, is refused: the
//! cells below it could not be told apart.

use super::records::Fields;
use crate::IntakeError;
use serde_json::Value;

/// Delimiters that a header is searched for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What a typed header asks of a column's cells, as in `price:number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    Text,
    Number,
    Boolean,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: CellKind,
}

/// The delimiter that stands most often in a header, quoted text aside.
pub(super) fn likeliest_delimiter(header: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut in_quotes = false;
    for &byte in header {
        in_quotes ^= byte == b'"';
        if !in_quotes {
            for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
                *count += usize::from(byte == delimiter);
            }
        }
    }
    let mut best = (DELIMITERS[0], 0);
    for (delimiter, count) in DELIMITERS.into_iter().zip(counts) {
        if count > best.1 {
            best = (delimiter, count);
        }
    }
    best.0
}

/// Reads the names and types of the columns; each must have a name of its own.
pub(super) fn columns(fields: Fields<'_>) -> Result<Vec<Column>, IntakeError> {
    let mut columns: Vec<Column> = Vec::with_capacity(fields.len());
    for index in 0..fields.len() {
        let column = column(fields.get(index).unwrap_or_default());
        if column.name.is_empty() {
            let reason = format!("column {} has no name; name it or remove it", index + 1);
            return Err(IntakeError::Header { reason });
        }
        columns.push(column);
    }
    let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        if let [one, two] = pair
            && one == two
        {
            let reason = format!(
                "the column `{}` stands there twice; rename one",
                crate::error::excerpt(one)
            );
            return Err(IntakeError::Header { reason });
        }
    }
    Ok(columns)
}

/// Splits `price:number`; a word behind the colon that is no type belongs to the name.
fn column(written: &str) -> Column {
    let written = written.trim();
    let typed = written.rsplit_once(':').and_then(|(name, kind)| {
        let kind = match kind {
            "string" => CellKind::Text,
            "number" => CellKind::Number,
            "boolean" => CellKind::Boolean,
            _ => return None,
        };
        Some((name.trim_end(), kind))
    });
    let (name, kind) = typed.unwrap_or((written, CellKind::Text));
    Column {
        name: name.to_owned(),
        kind,
    }
}

impl Column {
    /// Reads one cell; an empty one is `null`.
    pub(super) fn cell(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Value::Null);
        }
        match self.kind {
            CellKind::Text => Ok(Value::String(text.to_owned())),
            CellKind::Number => {
                let whole = trimmed.parse::<i64>().ok().map(Value::from);
                let number = || {
                    trimmed
                        .parse::<f64>()
                        .ok()
                        .filter(|number| number.is_finite())
                        .map(Value::from)
                };
                whole
                    .or_else(number)
                    .ok_or_else(|| format!("`{}` is not a number", crate::error::excerpt(trimmed)))
            }
            CellKind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
                _ => Err(format!(
                    "`{}` is not `true` or `false`",
                    crate::error::excerpt(trimmed)
                )),
            },
        }
    }
}
