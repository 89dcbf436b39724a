//! What the threads of one open data folder share.
//!
//! One writer thread appends to the log, one applier thread folds the catalogue's
//! views and publishes, and any number of readers hold what was published.

use crate::behaviour::Behaviour;
use crate::record::IndexNo;
use crate::snapshot::Published;
use crate::{EngineError, Registry, RegistryChange, Task, TaskError, TaskStatus};
use arc_swap::ArcSwap;
use domain::Timestamp;
use parking_lot::{Condvar, Mutex, RwLock};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::{Log, Views};

pub(crate) struct Shared {
    pub dir: PathBuf,
    pub log: Log,
    pub views: Views,
    pub published: ArcSwap<Published>,
    pub behaviours: RwLock<FxHashMap<IndexNo, Arc<Behaviour>>>,
    /// As of the last record appended; only the writer changes it once the folder is open.
    pub registry: ArcSwap<Registry>,
    pending: Mutex<BTreeMap<u64, Task>>,
    finished: Condvar,
    /// Why the applier ended, once it has ended before its time.
    stopped: OnceLock<Arc<EngineError>>,
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, log: Log, views: Views) -> Self {
        let published = ArcSwap::from_pointee(Published::empty(views.snapshot()));
        Self {
            dir,
            log,
            views,
            published,
            behaviours: RwLock::default(),
            registry: ArcSwap::default(),
            pending: Mutex::default(),
            finished: Condvar::new(),
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

    /// All of them, ordered, so that work over them is the same on every run.
    pub(crate) fn all_behaviours(&self) -> Vec<Arc<Behaviour>> {
        let mut all: Vec<_> = self.behaviours.read().values().cloned().collect();
        all.sort_by_key(|behaviour| behaviour.no);
        all
    }

    pub(crate) fn add_pending(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut pending = self.pending.lock();
        pending.extend(tasks.into_iter().map(|task| (task.uid, task)));
    }

    pub(crate) fn mark_processing(&self, uids: &[u64], at: Timestamp) {
        let mut pending = self.pending.lock();
        for uid in uids {
            if let Some(task) = pending.get_mut(uid) {
                task.status = TaskStatus::Processing;
                task.started_at = Some(at);
            }
        }
    }

    /// Tells whoever waits that these tasks are in the task view now.
    pub(crate) fn finish(&self, uids: impl IntoIterator<Item = u64>) {
        let mut pending = self.pending.lock();
        for uid in uids {
            pending.remove(&uid);
        }
        drop(pending);
        self.finished.notify_all();
    }

    pub(crate) fn pending_task(&self, uid: u64) -> Option<Task> {
        let task = self.pending.lock().get(&uid).cloned()?;
        Some(self.with_reason(task))
    }

    pub(crate) fn pending_tasks(&self) -> Vec<Task> {
        let pending: Vec<Task> = self.pending.lock().values().cloned().collect();
        let pending = pending.into_iter();
        pending.map(|task| self.with_reason(task)).collect()
    }

    /// A task that waits for a restart says so.
    fn with_reason(&self, task: Task) -> Task {
        let error = self.stopped().map(|why| TaskError {
            code: match why {
                EngineError::Full { .. } => "no_space_left_on_device",
                _ => "catalogue_stopped",
            }
            .to_owned(),
            message: why.to_string(),
        });
        Task { error, ..task }
    }

    pub(crate) fn is_indexing(&self, uid: &str) -> bool {
        let pending = self.pending.lock();
        pending.values().any(|task| {
            task.status == TaskStatus::Processing && task.index_uid.as_deref() == Some(uid)
        })
    }

    /// Says that the applier cannot go on; later catalogue writes are refused with this reason.
    pub(crate) fn stop(&self, why: EngineError) {
        // Only the applier calls this, and only once.
        let _ = self.stopped.set(Arc::new(why));
        self.finished.notify_all();
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

    /// Waits until the task is no longer pending, or the time is up.
    pub(crate) fn wait(&self, uid: u64, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut pending = self.pending.lock();
        while pending.contains_key(&uid) && self.stopped().is_none() {
            if self.finished.wait_until(&mut pending, deadline).timed_out() {
                return;
            }
        }
    }
}

/// The wall clock. Only the engine's edge and the server read it; everything below is given
/// a time.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The task that stands for an accepted write until it is applied.
pub(crate) fn enqueued(uid: u64, entry: &crate::record::Entry) -> Option<Task> {
    Some(Task {
        uid,
        index_uid: entry.index_uid(),
        status: TaskStatus::Enqueued,
        kind: entry.body.task_kind()?,
        details: crate::outcome::details_before(&entry.body),
        error: None,
        enqueued_at: entry.at,
        started_at: None,
        finished_at: None,
    })
}

/// Reads an entry of the log by its sequence number.
pub(crate) fn entry(log: &Log, seq: u64) -> Result<crate::record::Entry, EngineError> {
    let record = log.get(seq)?.ok_or(EngineError::TaskNotFound(seq))?;
    crate::record::Entry::decode(&record)
}
