//! Ids for events that came without one.
//!
//! The id is a digest of the content and of how often that content has
//! occurred in the file so far. Loading a file twice therefore gives the same
//! ids, and two equal lines of one file stay two events.

use domain::{Event, Timestamp};
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

/// The id of the `occurrence`-th event (from 0) with this content in its file.
pub fn row_digest(event: &Event, occurrence: u32) -> String {
    let mut content = Vec::new();
    write_content(event, Some(event.time), &mut content);
    digest(&content, occurrence)
}

/// Gives ids within one file; remembers a 64-bit hash and a count per different content.
#[derive(Debug, Default)]
pub struct FileIds {
    occurrences: FxHashMap<u64, u32>,
    content: Vec<u8>,
}

impl FileIds {
    /// Starts a new file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the event an id, unless it has one.
    pub fn assign(&mut self, event: &mut Event) {
        self.assign_from(event, Some(event.time));
    }

    /// The same for an event whose time was filled in when it was read: another load fills in another.
    pub(super) fn assign_without_time(&mut self, event: &mut Event) {
        self.assign_from(event, None);
    }

    fn assign_from(&mut self, event: &mut Event, time: Option<Timestamp>) {
        if event.id.is_some() {
            return;
        }
        self.content.clear();
        write_content(event, time, &mut self.content);
        let count = self.occurrences.entry(xxh3_64(&self.content)).or_insert(0);
        event.id = Some(digest(&self.content, *count));
        *count = count.saturating_add(1);
    }
}

fn digest(content: &[u8], occurrence: u32) -> String {
    format!(
        "{:032x}",
        xxh3_128_with_seed(content, u64::from(occurrence))
    )
}

/// Every part behind its length, so that no two contents are written alike.
fn write_content(event: &Event, time: Option<Timestamp>, content: &mut Vec<u8>) {
    let mut text = |text: Option<&str>| {
        let text = text.unwrap_or_default();
        content.extend((text.len() as u32).to_le_bytes());
        content.extend(text.as_bytes());
    };
    text(Some(event.user.as_str()));
    text(Some(event.kind.as_str()));
    text(event.item.as_ref().map(|item| item.as_str()));
    text(event.query.as_deref());
    text(event.basket.as_deref());
    text(event.query_id.as_deref());
    // No number and no time are written as bits that neither can have.
    content.extend(time.map_or(i64::MIN, Timestamp::millis).to_le_bytes());
    for number in [event.value, event.price, event.quantity] {
        content.extend(number.map_or(u64::MAX, f64::to_bits).to_le_bytes());
    }
}
