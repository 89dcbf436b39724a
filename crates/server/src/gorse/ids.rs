//! Ids of items as documents have them, and cursors.
//!
//! An item of the convention may be called anything; a document may not. An id that no document
//! can have is written in hexadecimal behind a mark, and so is one that begins with that mark,
//! so that no two items share a document.

use crate::error::ApiError;
use domain::ItemId;
use engine::EngineError;

const MARK: &str = "hex-";

/// The id of the document of an item.
pub(super) fn document(item: &str) -> Result<ItemId, ApiError> {
    let given = ItemId::new(item).map_err(EngineError::from)?;
    if !item.starts_with(MARK) && ItemId::of_document(item).is_ok() {
        return Ok(given);
    }
    let marked = format!("{MARK}{}", hex(item.as_bytes()));
    ItemId::of_document(marked).map_err(|_| {
        let reason = "an item id with other characters than a-z A-Z 0-9, hyphens (-) and underscores (_) must have at most 253 bytes";
        ApiError::invalid("invalid_document_id", reason)
    })
}

/// The item of a document.
pub(super) fn item(document: &str) -> String {
    let marked = document.strip_prefix(MARK).and_then(unhex);
    marked.unwrap_or_else(|| document.to_owned())
}

/// Where a list goes on, as a text that needs no escaping.
pub(super) fn cursor(last: &str) -> String {
    hex(last.as_bytes())
}

/// What a cursor says; `None` for the beginning.
pub(super) fn of_cursor(cursor: &str) -> Result<Option<String>, ApiError> {
    if cursor.is_empty() {
        return Ok(None);
    }
    match unhex(cursor) {
        Some(last) => Ok(Some(last)),
        None => Err(ApiError::invalid(
            "bad_request",
            "this cursor is none that was given out here",
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<String> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_document_of_its_own() {
        for (given, expected) in [
            ("1060", "1060"),
            ("a_b-C", "a_b-C"),
            ("gorse:1", "hex-676f7273653a31"),
            ("电影", "hex-e794b5e5bdb1"),
            ("hex-31", "hex-6865782d3331"),
        ] {
            let document = document(given).expect("an id");
            assert_eq!(document.as_str(), expected);
            assert_eq!(item(document.as_str()), given);
        }
        for refused in ["", "a\nb", &":".repeat(254), &"a".repeat(512)] {
            assert!(document(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_cursor_reads_back_and_others_are_refused() {
        let last = "u 1\0客户\0read";
        assert_eq!(
            of_cursor(&cursor(last)).ok().flatten().as_deref(),
            Some(last)
        );
        assert_eq!(of_cursor("").ok(), Some(None));
        for wrong in ["0", "zz", "ff", "é0", "+1"] {
            assert!(of_cursor(wrong).is_err(), "{wrong}");
        }
    }
}
