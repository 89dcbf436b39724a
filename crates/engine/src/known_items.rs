//! Which items of events the catalogue knows, so that a receipt can say how many it does not.

use crate::record::IndexNo;
use crate::shared::Shared;
use crate::snapshot::Published;
use domain::{Event, ItemId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Items whose presence in the catalogue is remembered.
const KNOWN_ITEMS: usize = 200_000;

/// Which items are in the catalogue, remembered while the published state stays the same.
#[derive(Default)]
pub(crate) struct KnownItems {
    published: Option<Arc<Published>>,
    known: FxHashMap<(IndexNo, ItemId), bool>,
}

impl KnownItems {
    /// How many of these events name an item that the catalogue does not hold.
    pub(crate) fn count_unknown(
        &mut self,
        shared: &Shared,
        index: IndexNo,
        events: &[Event],
    ) -> u64 {
        let current = shared.published.load_full();
        if !self
            .published
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &current))
        {
            self.known.clear();
            self.published = Some(current.clone());
        }
        if self.known.len() > KNOWN_ITEMS {
            self.known.clear();
        }
        let Some(state) = current.by_no(index) else {
            return events.iter().filter(|event| event.item.is_some()).count() as u64;
        };
        let mut unknown = 0;
        for item in events.iter().filter_map(|event| event.item.as_ref()) {
            let known = match self.known.get(&(index, item.clone())) {
                Some(known) => *known,
                None => {
                    // A words index that cannot be read is told to whoever searches it.
                    let known = state.words.contains(item.as_str()).unwrap_or(false);
                    self.known.insert((index, item.clone()), known);
                    known
                }
            };
            unknown += u64::from(!known);
        }
        unknown
    }
}
