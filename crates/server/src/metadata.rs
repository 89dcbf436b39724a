//! The metadata of an answer, on request: which index, which query.
//!
//! A client that sends `Meili-Include-Metadata: true` gets ids by which later
//! events can name the answer that led to them. Without the header an answer
//! holds nothing random, so equal requests have equal answers.

use axum::http::HeaderMap;
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

const HEADER: &str = "Meili-Include-Metadata";

/// Whether the client asks for metadata.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get(HEADER)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// `metadata` of one answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    index_uid: String,
    query_uid: String,
    primary_key: Option<String>,
}

impl Metadata {
    /// For an answer from this index, with a new query id.
    pub(crate) fn new(index_uid: &str, primary_key: Option<String>) -> Self {
        Self {
            index_uid: index_uid.to_owned(),
            query_uid: unique_id(),
            primary_key,
        }
    }
}

/// A random UUID (version 4): a keyed hash of a counter, with a key of this process.
pub(crate) fn unique_id() -> String {
    static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let (high, low) = (KEYS.0.hash_one(count), KEYS.1.hash_one(count));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_look_like_uuids_and_do_not_repeat() {
        let ids: HashSet<String> = (0..1000).map(|_| unique_id()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.chars().nth(14), Some('4'), "{id}");
        }
    }
}
