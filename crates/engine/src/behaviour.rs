//! What shoppers did in one index, in memory: the profiles, the model fitted from them,
//! and the models that were trained on them.
//!
//! The writer folds events here before it answers, so that an event changes the
//! shopper's next answer. Readers take the lock for as long as they copy what they
//! need; the writer takes it for a few hundred events at a time.

use crate::EngineError;
use crate::recommend::Lists;
use crate::record::IndexNo;
use crate::shelf::Shelf;
use crate::tables::{self, PROFILES};
use arc_swap::ArcSwapOption;
use domain::Event;
use models::Pctm;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use profiles::Profiles;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{ViewBatch, ViewSnapshot};

/// Events folded under one hold of the lock: well under a millisecond.
const CHUNK: usize = 256;

/// Profiles and models of one index.
pub(crate) struct Behaviour {
    pub no: IndexNo,
    profiles: RwLock<Profiles>,
    model: ArcSwapOption<SequenceModel>,
    /// Whether profiles hold what the view does not.
    dirty: AtomicBool,
    /// What is popular, as of the last request.
    pub lists: Mutex<Option<Arc<Lists>>>,
    /// Models that were trained elsewhere.
    pub shelf: Shelf,
}

/// A fitted sequence model, and how many events there were when it was fitted.
pub(crate) struct SequenceModel {
    pub events: u64,
    pub pctm: Pctm,
}

impl Behaviour {
    pub(crate) fn new(no: IndexNo) -> Self {
        Self::with(no, Profiles::new())
    }

    fn with(no: IndexNo, profiles: Profiles) -> Self {
        Self {
            no,
            profiles: RwLock::new(profiles),
            model: ArcSwapOption::empty(),
            dirty: AtomicBool::new(false),
            lists: Mutex::default(),
            shelf: Shelf::default(),
        }
    }

    /// Reads the profiles as of the last checkpoint, and which models there are.
    pub(crate) fn load(no: IndexNo, views: &ViewSnapshot) -> Result<Self, EngineError> {
        let mut entries = Vec::new();
        for entry in views.prefix(PROFILES, &no.0.to_be_bytes())? {
            let (key, value) = entry?;
            entries.push((key.get(8..).unwrap_or_default().to_vec(), value));
        }
        let behaviour = Self::with(no, Profiles::load(entries.into_iter())?);
        behaviour.shelf.read(views, no)?;
        Ok(behaviour)
    }

    pub(crate) fn profiles(&self) -> RwLockReadGuard<'_, Profiles> {
        self.profiles.read()
    }

    pub(crate) fn fold<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut profiles = self.profiles.write();
            for event in events.by_ref().take(CHUNK) {
                profiles.fold(event);
            }
        }
        self.dirty.store(true, Ordering::Release);
    }

    /// Adds what changed since the last checkpoint to the batch.
    pub(crate) fn checkpoint(&self, batch: &mut ViewBatch) {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return;
        }
        for (key, value) in self.profiles.write().take_changes() {
            let mut full = self.no.0.to_be_bytes().to_vec();
            full.extend_from_slice(&key);
            batch.put(tables::PROFILES, full, value);
        }
    }

    pub(crate) fn model(&self) -> Option<Arc<SequenceModel>> {
        self.model.load_full()
    }

    pub(crate) fn set_model(&self, model: SequenceModel) {
        self.model.store(Some(Arc::new(model)));
    }
}
