//! Search by meaning: vectors of an index's items, made by an encoder or given by the shop.
//!
//! A thread of its own makes them, so that words, prices and stock are never late because of
//! it. The applier leaves a note for every document it writes, in the batch of the document; the
//! thread takes the notes, encodes the texts that are new, and publishes. After a crash the
//! notes are still there. A document whose text has not changed is not encoded again.

mod describe;
mod embedder;
mod embedders;
mod find;
mod given;
mod maker;
mod notes;
mod scale;
mod shown;
mod slots;
mod worker;

pub(crate) use describe::Describer;
pub(crate) use embedder::normalised;
pub(crate) use embedders::{check_embedders, has_given};
pub(crate) use given::GivenVectors;
pub(crate) use notes::{Kept, Note, delete_index};
use worker::Tried;
pub(crate) use worker::Worker;

use crate::encoders::OpenEncoder;
use crate::record::IndexNo;
use arc_swap::ArcSwap;
use embedder::Embedder;
use encode::Centring;
use parking_lot::Mutex;
use slots::Slots;
use std::collections::BTreeMap;
use std::sync::Arc;
use text::Languages;
use vector::Vectors;

/// The embedder of an index that names none.
pub(crate) const DEFAULT_EMBEDDER: &str = "default";

/// The vectors of one index: what readers see, and what the worker has in hand.
pub(crate) struct Meaning {
    pub no: IndexNo,
    published: ArcSwap<Published>,
    work: Mutex<Work>,
}

/// By the name of the embedder.
#[derive(Default)]
struct Work {
    embedders: BTreeMap<String, Embedder>,
    /// What was there before another model was chosen: it answers until the vectors of that one
    /// are all made.
    before: BTreeMap<String, Arc<Space>>,
    tried: Option<Tried>,
    /// Something could not be written; nothing more is made before a restart.
    is_stopped: bool,
}

/// The embedders of an index at one moment.
#[derive(Default)]
pub(crate) struct Published {
    embedders: BTreeMap<String, Slot>,
    /// Documents whose vectors are not up to date.
    pub waiting: u64,
}

/// An embedder that works, or why it does not.
type Slot = Result<Arc<Space>, String>;

/// The vectors of one embedder at one moment, and how a query becomes one of them.
pub(crate) struct Space {
    /// The model by name; nothing where the shop gives the vectors.
    pub model: Option<String>,
    pub encoder: Option<Arc<OpenEncoder>>,
    pub languages: Languages,
    pub centring: Centring,
    pub vectors: Vectors,
    pub slots: Arc<Slots>,
}

/// How far the vectors of an index are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeaningStats {
    /// Documents that have a vector.
    pub documents: u64,
    /// Documents whose vectors are not up to date yet.
    pub waiting: u64,
    /// Vectors that were made, those of earlier texts among them.
    pub made: u64,
    /// Some embedder has so many vectors outside of its graph that it is to have another.
    pub wants_graph: bool,
    /// By embedder: the model in use.
    pub models: BTreeMap<String, String>,
    /// By embedder: why it does not work.
    pub faults: BTreeMap<String, String>,
}

impl Meaning {
    pub(crate) fn new(no: IndexNo) -> Self {
        Self {
            no,
            published: ArcSwap::default(),
            work: Mutex::default(),
        }
    }

    /// What a request sees from its start to its end.
    pub(crate) fn now(&self) -> Arc<Published> {
        self.published.load_full()
    }
}

impl Published {
    /// The embedders that work, by name.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = (&str, &Arc<Space>)> {
        self.embedders
            .iter()
            .filter_map(|(name, slot)| Some((name.as_str(), slot.as_ref().ok()?)))
    }

    /// The vectors of an embedder; `Ok(None)` when there is no embedder of that name.
    pub(crate) fn space(&self, embedder: &str) -> Result<Option<&Arc<Space>>, &str> {
        match self.embedders.get(embedder) {
            None => Ok(None),
            Some(Ok(space)) => Ok(Some(space)),
            Some(Err(why)) => Err(why),
        }
    }

    pub(crate) fn stats(&self) -> MeaningStats {
        let mut stats = MeaningStats {
            waiting: self.waiting,
            ..MeaningStats::default()
        };
        for (name, slot) in &self.embedders {
            match slot {
                Ok(space) => {
                    stats.documents = stats.documents.max(space.slots.items());
                    stats.wants_graph |= space.vectors.wants_graph();
                    stats.made += u64::from(space.vectors.len());
                    if let Some(model) = &space.model {
                        stats.models.insert(name.clone(), model.clone());
                    }
                }
                Err(why) => {
                    stats.faults.insert(name.clone(), why.clone());
                }
            }
        }
        stats
    }
}
