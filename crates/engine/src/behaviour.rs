//! What shoppers did in one index, in memory: the profiles, the model fitted from them,
//! and the models that were trained on them.
//!
//! The writer folds events here before it answers, so that an event changes the
//! shopper's next answer. Readers take the lock for as long as they copy what they
//! need; the writer takes it for a few hundred events at a time.

use crate::fitting::LastFit;
use crate::recommend::Lists;
use crate::record::IndexNo;
use crate::shelf::Shelf;
use crate::shoppers::{Entries, profile_key};
use arc_swap::ArcSwapOption;
use domain::Event;
use models::Pctm;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use profiles::{Profiles, ProfilesError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Events folded under one hold of the lock: well under a millisecond.
const CHUNK: usize = 256;

/// Profiles and models of one index.
pub(crate) struct Behaviour {
    pub no: IndexNo,
    profiles: RwLock<Profiles>,
    model: ArcSwapOption<SequenceModel>,
    /// Whether profiles hold what the view does not.
    dirty: AtomicBool,
    /// Held while a sequence model is fitted.
    pub fitting: Mutex<()>,
    /// The last fit of it, or the one that is running.
    pub last_fit: Mutex<LastFit>,
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
            fitting: Mutex::default(),
            last_fit: Mutex::default(),
            lists: Mutex::default(),
            shelf: Shelf::default(),
        }
    }

    /// Reads the profiles as of the last checkpoint from what is kept of them.
    pub(crate) fn load(no: IndexNo, entries: Entries) -> Result<Self, ProfilesError> {
        Ok(Self::with(no, Profiles::load(entries.into_iter())?))
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

    /// What changed since the last checkpoint.
    pub(crate) fn take_changes(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let changes = self.profiles.write().take_changes();
        self.keyed(changes)
    }

    /// Everything that is to be kept, in the order of the keys.
    pub(crate) fn entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let entries = self.profiles.read().entries();
        self.keyed(entries)
    }

    /// Says that everything has been kept.
    pub(crate) fn forget_changes(&self) {
        self.dirty.store(false, Ordering::Release);
        self.profiles.write().forget_changes();
    }

    fn keyed(&self, entries: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let keyed = |(key, value): (Vec<u8>, Vec<u8>)| (profile_key(self.no, &key), value);
        entries.into_iter().map(keyed).collect()
    }

    /// Puts other profiles in the place of those that are.
    pub(crate) fn replace(&self, profiles: Profiles) {
        *self.profiles.write() = profiles;
        self.dirty.store(true, Ordering::Release);
    }

    pub(crate) fn model(&self) -> Option<Arc<SequenceModel>> {
        self.model.load_full()
    }

    pub(crate) fn set_model(&self, model: SequenceModel) {
        self.model.store(Some(Arc::new(model)));
    }

    pub(crate) fn clear_model(&self) {
        self.model.store(None);
    }
}
