//! What the threads of one open data folder share.
//!
//! One writer thread appends to the log, one applier thread folds the catalogue's
//! views and publishes, and any number of readers hold what was published.

use crate::behaviour::Behaviour;
use crate::encoders::Encoders;
use crate::finished::Announcer;
use crate::meaning::{Meaning, Worker};
use crate::record::IndexNo;
use crate::shelf::Shadows;
use crate::snapshot::Published;
use crate::waiting::Waiting;
use crate::{EngineError, Registry, RegistryChange};
use arc_swap::ArcSwap;
use domain::Timestamp;
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Log, Views};

pub(crate) struct Shared {
    pub dir: PathBuf,
    pub log: Log,
    pub views: Views,
    /// Views of what shoppers did; the writer exchanges them as a whole.
    pub shoppers: ArcSwap<Views>,
    /// One erasure at a time.
    pub erasing: Mutex<()>,
    pub published: ArcSwap<Published>,
    pub behaviours: RwLock<FxHashMap<IndexNo, Arc<Behaviour>>>,
    pub meanings: RwLock<FxHashMap<IndexNo, Arc<Meaning>>>,
    pub encoders: Option<Arc<Encoders>>,
    /// Makes vectors.
    pub worker: Worker,
    /// Lets shadows rank beside the answers.
    pub shadows: Shadows,
    /// As of the last record appended; only the writer changes it once the folder is open.
    pub registry: ArcSwap<Registry>,
    pub waiting: Waiting,
    pub announcer: Announcer,
    /// Why the applier ended, once it has ended before its time.
    stopped: OnceLock<Arc<EngineError>>,
}

impl Shared {
    pub(crate) fn new(
        dir: PathBuf,
        log: Log,
        views: Views,
        shoppers: Views,
        encoders: Option<Arc<Encoders>>,
    ) -> Self {
        let published = ArcSwap::from_pointee(Published::empty(views.snapshot()));
        Self {
            dir,
            log,
            views,
            shoppers: ArcSwap::from_pointee(shoppers),
            erasing: Mutex::default(),
            published,
            behaviours: RwLock::default(),
            meanings: RwLock::default(),
            encoders,
            worker: Worker::default(),
            shadows: Shadows::default(),
            registry: ArcSwap::default(),
            waiting: Waiting::default(),
            announcer: Announcer::default(),
            stopped: OnceLock::new(),
        }
    }

    /// Puts a change of the registry in force.
    pub(crate) fn change_registry(&self, change: &str) -> Result<(), EngineError> {
        let change: RegistryChange = crate::tables::from_json(change.as_bytes())?;
        let mut registry = Registry::clone(&self.registry.load());
        registry.apply(change);
        self.registry.store(Arc::new(registry));
        Ok(())
    }

    /// The events side of an index; made on first use.
    pub(crate) fn behaviour(&self, no: IndexNo) -> Arc<Behaviour> {
        if let Some(known) = self.behaviours.read().get(&no) {
            return known.clone();
        }
        let mut all = self.behaviours.write();
        all.entry(no)
            .or_insert_with(|| Arc::new(Behaviour::new(no)))
            .clone()
    }

    /// The vectors of an index; made on first use.
    pub(crate) fn meaning(&self, no: IndexNo) -> Arc<Meaning> {
        if let Some(known) = self.meanings.read().get(&no) {
            return known.clone();
        }
        let mut all = self.meanings.write();
        all.entry(no)
            .or_insert_with(|| Arc::new(Meaning::new(no)))
            .clone()
    }

    pub(crate) fn all_meanings(&self) -> Vec<Arc<Meaning>> {
        self.meanings.read().values().cloned().collect()
    }

    /// All of them, ordered, so that work over them is the same on every run.
    pub(crate) fn all_behaviours(&self) -> Vec<Arc<Behaviour>> {
        let mut all: Vec<_> = self.behaviours.read().values().cloned().collect();
        all.sort_by_key(|behaviour| behaviour.no);
        all
    }

    /// Runs the applier or the writer to its end. Should it panic, the catalogue takes no more
    /// writes: nobody would apply them.
    pub(crate) fn guard(&self, run: impl FnOnce()) {
        // Nothing that the thread held is used again, and what it shared is whole at any time.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            let why = EngineError::Panicked(said.unwrap_or_default());
            tracing::error!(
                error = &why as &dyn std::error::Error,
                "the catalogue takes no more writes; restart to try again"
            );
            self.stop(why);
        }
    }

    /// Says that the applier cannot go on; later catalogue writes are refused with this reason.
    pub(crate) fn stop(&self, why: EngineError) {
        // The first reason is the one to tell.
        let _ = self.stopped.set(Arc::new(why));
        self.waiting.wake();
    }

    /// What is answered to a catalogue write once the applier has ended.
    pub(crate) fn stopped(&self) -> Option<EngineError> {
        let why = self.stopped.get()?;
        if !why.is_full() {
            return Some(EngineError::CatalogueStopped(why.to_string()));
        }
        Some(EngineError::Full {
            path: self.dir.clone(),
            source: why.clone(),
        })
    }
}

/// The wall clock. Only the engine's edge and the server read it; everything below is given
/// a time.
pub fn now() -> Timestamp {
    moment(SystemTime::now())
}

/// A time of the system's clock.
pub(crate) fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Reads an entry of the log by its sequence number.
pub(crate) fn entry(log: &Log, seq: u64) -> Result<crate::record::Entry, EngineError> {
    let record = log.get(seq)?.ok_or(EngineError::TaskNotFound(seq))?;
    crate::record::Entry::decode(&record)
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineError, OpenOptions, Write};
    use domain::IndexUid;
    use std::time::Duration;

    fn create(engine: &Engine, uid: &str) -> Result<u64, EngineError> {
        let uid = IndexUid::new(uid).expect("a name");
        let primary_key = None;
        let accepted = engine.write(Write::CreateIndex { uid, primary_key })?;
        Ok(accepted.task_uid)
    }

    #[test]
    fn after_a_panic_of_its_applier_the_catalogue_takes_no_writes() {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(dir.path(), OpenOptions::default()).expect("a data folder");
        let before = create(&engine, "before").expect("a write");
        engine
            .wait(before, Duration::from_secs(20))
            .expect("a task");
        assert!(engine.stopped().is_none());

        engine.shared().guard(|| panic!("a broken invariant"));
        let refused = create(&engine, "behind")
            .expect_err("a refusal")
            .to_string();
        assert!(refused.contains("a broken invariant"), "{refused}");
        assert!(refused.contains("restart"), "{refused}");
        assert!(matches!(
            engine.stopped(),
            Some(EngineError::CatalogueStopped(_))
        ));
        // What is there can be read, and a restart goes on.
        engine.index("before").expect("the index");
        engine.close();
        drop(engine);
        let engine = Engine::open(dir.path(), OpenOptions::default()).expect("a data folder");
        create(&engine, "behind").expect("a write");
    }
}
