//! What comes next after a history: the source of `for-you` and `session`.
//!
//! Two models may speak: counted pairs (PCTM), and an affinity Transformer where one is live.
//! Their scores are [blended](Blend) by the share that was best on the validation of the latter.

use super::candidate::{Candidate, Item, Part};
use super::request::SourceReport;
use crate::behaviour::SequenceModel;
use crate::shelf::{LiveAffinity, PastEvent};
use domain::Score;
use models::{Blend, SequenceModel as _};
use profiles::{ItemNo, Profiles};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::sync::Arc;

/// The models of a request, the same from its start to its end.
#[derive(Clone)]
pub(super) struct NextItem {
    pub counted: Option<Arc<SequenceModel>>,
    pub live: Option<Arc<LiveAffinity>>,
}

/// What came before.
#[derive(Clone, Default)]
pub(super) struct Past {
    /// As the counted model knows it, the oldest first.
    pub items: Vec<ItemNo>,
    /// As the live model knows it, the oldest first.
    pub events: Vec<PastEvent>,
}

/// How the scores of the two models became one.
#[derive(Default)]
pub(super) struct Blended {
    /// By place in the live model's catalogue; empty when it did not speak.
    affinity: Vec<f32>,
    blend: Blend,
}

impl NextItem {
    /// The score of every item by the live model; nothing without one, or without a past.
    pub(super) fn affinity(&self, past: &Past, trace: &mut Vec<SourceReport>) -> Vec<f32> {
        let Some(live) = &self.live else {
            return Vec::new();
        };
        let scores = live.scores(&past.events);
        trace.push(SourceReport::of("affinity", scores.len()));
        scores
    }

    /// What the counted model says, the best first.
    pub(super) fn spoken(&self, past: &Past, trace: &mut Vec<SourceReport>) -> Vec<(ItemNo, f32)> {
        let mut spoken = match &self.counted {
            Some(model) if !past.items.is_empty() => model.pctm.scores(&past.items),
            _ => Vec::new(),
        };
        spoken.sort_unstable_by_key(|&(item, score)| (Reverse(Score::new(score)), item));
        let mut said = SourceReport::of("sequence", spoken.len());
        if self.counted.is_none() {
            said.error = Some("no model has been fitted yet".to_owned());
        }
        trace.push(said);
        spoken
    }

    /// The addends of the score of an item.
    pub(super) fn parts(
        &self,
        profiles: &Profiles,
        item: &Item,
        past: &Past,
        blended: &Blended,
    ) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut add = |because, item: Option<ItemNo>, value| {
            parts.push(Part {
                because,
                item,
                value,
            });
        };
        if let Some(live) = self.live.as_ref().filter(|_| blended.has_spoken()) {
            let place = match item {
                Item::Place(place) => Some(*place),
                Item::Number(no) => live.place(profiles.item_id(*no)),
                Item::Id(id) => live.place(id),
            };
            let score = place.and_then(|place| blended.affinity.get(place as usize));
            add(
                "affinity",
                None,
                score.map_or(0.0, |score| blended.blend.affinity().apply(*score)),
            );
        }
        let scale = blended.blend.counted();
        match (&self.counted, item) {
            (Some(model), Item::Number(no)) => {
                add("rarity", None, scale.apply(model.pctm.base(*no)));
                for (before, value) in model.pctm.explain(&past.items, *no) {
                    add("sequence", Some(before), scale.factor * f64::from(value));
                }
            }
            // The history says nothing of it by counting.
            _ if scale.offset != 0.0 => add("sequence", None, scale.offset),
            _ => {}
        }
        parts
    }
}

impl Blended {
    pub(super) fn of(affinity: Vec<f32>, spoken: &[(ItemNo, f32)], share: f64) -> Self {
        let counted = spoken.iter().map(|&(_, score)| score);
        Self {
            blend: Blend::new(&affinity, counted, share),
            affinity,
        }
    }

    /// Whether the live model took part.
    pub(super) fn has_spoken(&self) -> bool {
        !self.affinity.is_empty()
    }

    /// The score of every place. What counting says nothing of has a count of 0.
    pub(super) fn scores(&self, counted: &FxHashMap<u32, f32>) -> impl Iterator<Item = (u32, f64)> {
        (0_u32..).zip(&self.affinity).map(|(place, &score)| {
            let count = counted.get(&place).copied().unwrap_or_default();
            (place, self.blend.score(score, count))
        })
    }

    /// The whole catalogue, the best first. What counting says nothing of has a count of 0.
    pub(super) fn candidates(
        &self,
        live: &LiveAffinity,
        profiles: &Profiles,
        spoken: &[(ItemNo, f32)],
    ) -> Vec<Candidate> {
        let mut counted = FxHashMap::default();
        for &(item, score) in spoken {
            if let Some(place) = live.place(profiles.item_id(item)) {
                counted.insert(place, (item, score));
            }
        }
        let mut ranked = Vec::with_capacity(self.affinity.len());
        for (place, &score) in (0_u32..).zip(&self.affinity) {
            let (item, count) = match counted.get(&place) {
                Some(&(no, score)) => (Item::Number(no), score),
                None => (Item::Place(place), 0.0),
            };
            let score = self.blend.score(score, count);
            ranked.push((Reverse(Score::new(score as f32)), place, item, score));
        }
        ranked.sort_unstable_by_key(|&(score, place, ..)| (score, place));
        let ranked = ranked.into_iter();
        ranked
            .map(|(_, _, item, score)| next(item, score))
            .collect()
    }
}

fn next(item: Item, score: f64) -> Candidate {
    Candidate {
        item,
        score,
        source: "sequence",
        parts: Vec::new(),
        modelled: true,
    }
}
