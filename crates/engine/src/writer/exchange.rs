//! Putting other profiles in the place of those of an index, between two writes.

use super::{Apply, Writer};
use crate::shoppers::{self, Forgotten};
use crate::{EngineError, erase, event_ids};
use profiles::Profiles;
use std::sync::Arc;

/// Profiles of an index that were folded beside the writer.
pub(crate) struct Exchange {
    pub profiles: Profiles,
    /// The first record that they do not hold.
    pub next: u64,
    /// Who is no more in them.
    pub forgotten: Forgotten,
    pub done: Box<dyn FnOnce(Result<(), EngineError>) + Send>,
}

impl Writer {
    /// Puts other profiles in the place of those of an index, and a new database in the place of
    /// the one that holds them.
    pub(super) fn exchange(
        &mut self,
        mut profiles: Profiles,
        next: u64,
        forgotten: &Forgotten,
    ) -> Result<(), EngineError> {
        let index = forgotten.index;
        if !self.indexes.values().any(|no| *no == index) {
            // It was deleted meanwhile, with all that is known of its shoppers.
            return Ok(());
        }
        let shared = &self.shared;
        let end = shared.log.next_seq();
        erase::fold(&shared.log, index, next..end, &mut profiles)?;
        shared.behaviour(index).replace(profiles);
        let behaviours = shared.all_behaviours();
        {
            let old = shared.shoppers.load();
            event_ids::save(&old, self.fresh_ids.iter().copied())?;
            let new = shoppers::renewed(&shared.dir, &old, &behaviours, forgotten, end)?;
            shared.shoppers.store(Arc::new(new));
        }
        self.fresh_ids.clear();
        self.since_checkpoint = 0;
        for behaviour in behaviours {
            behaviour.forget_changes();
        }
        let _ = self.applier.send(Apply::Advance(end));
        shoppers::remove_older(&shared.dir)
    }
}
