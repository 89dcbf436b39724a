//! The ids of events that were accepted, so that the same event is not counted twice.
//!
//! An id is kept as a 128-bit hash behind its index. The view may hold ids that the
//! profiles of the last checkpoint do not know yet: events that are read from the log
//! again were accepted once and are not looked up.

use crate::record::IndexNo;
use crate::tables::EVENT_IDS;
use domain::Event;
use store::{Views, ViewsError};
use xxhash_rust::xxh3::xxh3_128;

/// Index and hashed id, as the key of the view.
pub(crate) type EventKey = [u8; 24];

/// From this many on, ids bypass the memtables.
const MANY: usize = 10_000;

/// `None` for an event without an id, which is always new.
pub(crate) fn key(index: IndexNo, event: &Event) -> Option<EventKey> {
    let hash = xxh3_128(event.id.as_ref()?.as_bytes());
    let mut key = [0; 24];
    let (number, rest) = key.split_at_mut(8);
    number.copy_from_slice(&index.0.to_be_bytes());
    rest.copy_from_slice(&hash.to_be_bytes());
    Some(key)
}

/// Adds ids to the view.
pub(crate) fn save(
    views: &Views,
    keys: impl IntoIterator<Item = EventKey>,
) -> Result<(), ViewsError> {
    let mut keys: Vec<EventKey> = keys.into_iter().collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() >= MANY {
        return views.ingest(EVENT_IDS, keys.into_iter().map(|key| (key, [])));
    }
    let mut batch = views.batch();
    for key in keys {
        batch.put(EVENT_IDS, key, []);
    }
    batch.commit()
}
