//! `customMetadata`: a note that whoever writes documents gives to the task.
//!
//! It is kept and shown with the task, in answers and to webhooks, and changes nothing.

use crate::error::ApiError;
use crate::fields::{Fields, Row};
use engine::Write;

/// The row of the parameter.
pub(crate) const CUSTOM_METADATA: Row = ("customMetadata", "invalid_document_custom_metadata");

/// Notes stand in the log and in every list of tasks.
const LONGEST: usize = 10_000;

/// Takes the note of a write.
pub(crate) fn take_note(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    let (name, _) = CUSTOM_METADATA;
    let note = fields.text(name)?;
    match note.as_ref().map(String::len) {
        Some(length) if length > LONGEST => Err(fields.refuse(
            name,
            format!("`{name}` has {length} bytes, but at most {LONGEST} are allowed."),
        )),
        _ => Ok(note),
    }
}

/// A write with its note.
pub(crate) fn noted(write: Write, note: Option<String>) -> Write {
    match note {
        Some(note) => Write::Noted(Box::new(write), note),
        None => write,
    }
}
