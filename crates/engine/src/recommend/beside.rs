//! What a live model and a shadow put first for the same request, found after it was answered.

use super::next_item::{Blended, NextItem, Past};
use super::request::RecommendRequest;
use super::sources::Sources;
use crate::behaviour::Behaviour;
use crate::shelf::{FIRST, LiveAffinity, Look, PastEvent, hash_of};
use domain::{Score, UserId};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::sync::Arc;

/// A request that a live model has ranked.
pub(crate) struct Asked {
    user: UserId,
    models: NextItem,
    live: Arc<LiveAffinity>,
    past: Past,
}

impl Sources<'_> {
    /// Leaves the request for the shadow of the index, if there is one and it is about a shopper.
    pub(super) fn leave_for_shadow(&self) {
        let RecommendRequest {
            user: Some(user), ..
        } = self.request
        else {
            return;
        };
        let behaviour = &self.reader.state.behaviour;
        let Some(live) = self
            .models
            .live
            .as_ref()
            .filter(|_| self.blended.has_spoken())
        else {
            return;
        };
        if behaviour.shelf.shadow().is_none() {
            return;
        }
        self.reader.shared.shadows.leave(behaviour, || Asked {
            user: user.clone(),
            models: self.models.clone(),
            live: live.clone(),
            past: self.given.past.clone(),
        });
    }
}

impl Asked {
    pub(crate) fn user(&self) -> &str {
        self.user.as_str()
    }

    /// The id of the live model.
    pub(crate) fn live(&self) -> &str {
        &self.live.id
    }

    /// What both put first, before anything is hidden or moved.
    pub(crate) fn look(&self, behaviour: &Behaviour, shadow: &Arc<LiveAffinity>) -> Look {
        let as_shadow_knows = |event: &PastEvent| {
            let place = shadow.place(self.live.item_id(event.place))?;
            Some(PastEvent { place, ..*event })
        };
        let past = Past {
            items: self.past.items.clone(),
            events: self
                .past
                .events
                .iter()
                .filter_map(as_shadow_knows)
                .collect(),
        };
        let last = self.past.events.last();
        Look {
            live: first(behaviour, &self.models, &self.live, &self.past),
            shadow: first(behaviour, &self.models, shadow, &past),
            last: last.map(|event| hash_of(self.live.item_id(event.place))),
        }
    }
}

/// What a model puts first, blended with what is counted as in an answer.
fn first(behaviour: &Behaviour, models: &NextItem, model: &LiveAffinity, past: &Past) -> Vec<u64> {
    let affinity = model.scores(&past.events);
    let spoken = models.spoken(past, &mut Vec::new());
    let counted: FxHashMap<u32, f32> = {
        // Events wait for this lock, so nothing else happens under it.
        let profiles = behaviour.profiles();
        let placed = |&(item, score): &_| Some((model.place(profiles.item_id(item))?, score));
        spoken.iter().filter_map(placed).collect()
    };
    let blended = Blended::of(affinity, &spoken, model.share);
    let mut ranked: Vec<(Reverse<Score>, u32)> = blended
        .scores(&counted)
        .map(|(place, score)| (Reverse(Score::new(score as f32)), place))
        .collect();
    if ranked.len() > FIRST {
        ranked.select_nth_unstable(FIRST);
        ranked.truncate(FIRST);
    }
    ranked.sort_unstable();
    let ranked = ranked.into_iter();
    ranked
        .map(|(_, place)| hash_of(model.item_id(place)))
        .collect()
}
