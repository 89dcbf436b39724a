//! Tasks that were accepted and are not applied yet.
//!
//! Clients see them here until the applier has put them into the tasks view. A cancelation
//! reserves the tasks it is about before it is written, and the applier waits at a reserved
//! task until it is known whether the cancelation is durable: so what was canceled is never
//! applied, and what the log does not cancel always is.

use crate::outcome::details_before;
use crate::record::Entry;
use crate::shared::Shared;
use crate::{EngineError, Task, TaskError, TaskQuery, TaskStatus};
use domain::Timestamp;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Accepted tasks by uid.
#[derive(Default)]
pub(crate) struct Waiting {
    tasks: Mutex<BTreeMap<u64, Waiter>>,
    finished: Condvar,
    decided: Condvar,
}

struct Waiter {
    task: Task,
    is_cancelable: bool,
    cancel: Cancel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    /// By a write that is not durable yet.
    Asked,
    /// By this task.
    By(u64),
}

impl Waiting {
    /// Lists an accepted write, if it is shown as a task.
    pub(crate) fn add(&self, uid: u64, entry: &Entry) {
        if let Some(task) = enqueued(uid, entry) {
            let waiter = Waiter {
                task,
                is_cancelable: entry.body.is_cancelable(),
                cancel: Cancel::No,
            };
            self.tasks.lock().insert(uid, waiter);
        }
    }

    /// Starts a task, or says by which other it was canceled.
    pub(crate) fn claim(&self, uid: u64, batch: u64, at: Timestamp) -> Option<u64> {
        let mut tasks = self.tasks.lock();
        loop {
            let waiter = tasks.get_mut(&uid)?;
            match waiter.cancel {
                Cancel::Asked => self.decided.wait(&mut tasks),
                Cancel::By(other) => return Some(other),
                Cancel::No => {
                    waiter.task.status = TaskStatus::Processing;
                    waiter.task.started_at = Some(at);
                    waiter.task.batch_uid = Some(batch);
                    return None;
                }
            }
        }
    }

    /// Reserves what the query means and can still be canceled; `decide` must follow.
    pub(crate) fn reserve(&self, query: &TaskQuery) -> Vec<u64> {
        let mut reserved = Vec::new();
        for (uid, waiter) in self.tasks.lock().iter_mut() {
            let waits = waiter.task.status == TaskStatus::Enqueued && waiter.cancel == Cancel::No;
            if waits && waiter.is_cancelable && query.matches(&waiter.task) {
                waiter.cancel = Cancel::Asked;
                reserved.push(*uid);
            }
        }
        reserved
    }

    /// Says whether the tasks reserved are canceled, and by which.
    pub(crate) fn decide(&self, reserved: &[u64], by: Option<u64>) {
        let mut tasks = self.tasks.lock();
        for uid in reserved {
            if let Some(waiter) = tasks.get_mut(uid) {
                waiter.cancel = by.map_or(Cancel::No, Cancel::By);
            }
        }
        drop(tasks);
        self.decided.notify_all();
    }

    /// Tells whoever waits that these tasks are in the task view now.
    pub(crate) fn finish(&self, uids: impl IntoIterator<Item = u64>) {
        let mut tasks = self.tasks.lock();
        for uid in uids {
            tasks.remove(&uid);
        }
        drop(tasks);
        self.finished.notify_all();
    }

    /// Wakes whoever waits for a task that will not be finished.
    pub(crate) fn wake(&self) {
        self.finished.notify_all();
    }

    /// Whether an index is being written to.
    pub(crate) fn is_indexing(&self, uid: &str) -> bool {
        let tasks = self.tasks.lock();
        tasks.values().any(|Waiter { task, .. }| {
            task.status == TaskStatus::Processing && task.index_uid.as_deref() == Some(uid)
        })
    }
}

impl Shared {
    pub(crate) fn pending_task(&self, uid: u64) -> Option<Task> {
        let tasks = self.waiting.tasks.lock();
        let task = tasks.get(&uid).map(|waiter| waiter.task.clone())?;
        drop(tasks);
        Some(self.with_reason(task))
    }

    pub(crate) fn pending_tasks(&self) -> Vec<Task> {
        let tasks = self.waiting.tasks.lock();
        let pending: Vec<Task> = tasks.values().map(|waiter| waiter.task.clone()).collect();
        drop(tasks);
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

    /// Waits until the task is no longer pending, or the time is up.
    pub(crate) fn wait(&self, uid: u64, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut tasks = self.waiting.tasks.lock();
        while tasks.contains_key(&uid) && self.stopped().is_none() {
            let finished = &self.waiting.finished;
            if finished.wait_until(&mut tasks, deadline).timed_out() {
                return;
            }
        }
    }
}

/// The task that stands for an accepted write until it is applied.
fn enqueued(uid: u64, entry: &Entry) -> Option<Task> {
    Some(Task {
        uid,
        batch_uid: None,
        index_uid: entry.index_uid(),
        status: TaskStatus::Enqueued,
        kind: entry.body.task_kind()?,
        details: details_before(entry),
        canceled_by: None,
        custom_metadata: entry.asked.custom_metadata.clone(),
        error: None,
        enqueued_at: entry.at,
        started_at: None,
        finished_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Body, IndexNo, SelectionBody};
    use std::sync::Arc;
    use std::thread;

    fn waiting(count: u64) -> Waiting {
        let waiting = Waiting::default();
        for uid in 0..count {
            let entry = Entry {
                at: Timestamp::from_millis(0),
                index: IndexNo(0),
                uid: "a".to_owned(),
                body: Body::DeleteDocuments(SelectionBody::All),
                asked: Default::default(),
            };
            waiting.add(uid, &entry);
        }
        waiting
    }

    #[test]
    fn what_has_begun_cannot_be_canceled() {
        let waiting = waiting(3);
        let at = Timestamp::from_millis(1);
        assert_eq!(waiting.claim(0, 0, at), None);
        let reserved = waiting.reserve(&TaskQuery::default());
        assert_eq!(reserved, [1, 2]);
        assert!(waiting.reserve(&TaskQuery::default()).is_empty());
        waiting.decide(&reserved, Some(9));
        assert_eq!(waiting.claim(1, 1, at), Some(9));
    }

    #[test]
    fn a_cancelation_that_was_not_written_cancels_nothing() {
        let waiting = Arc::new(waiting(1));
        let reserved = waiting.reserve(&TaskQuery::default());
        let applier = waiting.clone();
        let claimed = thread::spawn(move || applier.claim(0, 0, Timestamp::from_millis(1)));
        thread::sleep(Duration::from_millis(20));
        assert!(!claimed.is_finished());
        waiting.decide(&reserved, None);
        assert_eq!(claimed.join().expect("no panic"), None);
    }
}
