//! Telling others about tasks that have just finished.
//!
//! A listener has a queue of bounded length. One that does not keep up misses tasks, which
//! is said in the log: the applier waits for nobody.

use crate::{Engine, Registry, Task, TaskStatus};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Tasks that were committed together, and what was set up at that moment.
#[derive(Clone, Debug)]
pub struct Finished {
    pub tasks: Arc<[Task]>,
    pub registry: Arc<Registry>,
}

/// How many tasks there are; those that are finished, since the folder was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    pub enqueued: u64,
    pub processing: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub canceled: u64,
}

/// Who wants to be told, and what has been told so far.
#[derive(Default)]
pub(crate) struct Announcer {
    listeners: Mutex<Vec<SyncSender<Finished>>>,
    counts: Mutex<TaskCounts>,
}

impl TaskCounts {
    pub(crate) fn count(&mut self, status: TaskStatus) {
        let count = match status {
            TaskStatus::Enqueued => &mut self.enqueued,
            TaskStatus::Processing => &mut self.processing,
            TaskStatus::Succeeded => &mut self.succeeded,
            TaskStatus::Failed => &mut self.failed,
            TaskStatus::Canceled => &mut self.canceled,
        };
        *count += 1;
    }
}

impl Announcer {
    /// Tells every listener.
    pub(crate) fn announce(&self, tasks: Vec<Task>, registry: &Arc<Registry>) {
        let mut counts = self.counts.lock();
        for task in &tasks {
            counts.count(task.status);
        }
        drop(counts);
        let mut listeners = self.listeners.lock();
        if listeners.is_empty() || tasks.is_empty() {
            return;
        }
        let finished = Finished {
            tasks: tasks.into(),
            registry: registry.clone(),
        };
        listeners.retain(|listener| match listener.try_send(finished.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(missed)) => {
                tracing::warn!(
                    tasks = missed.tasks.len(),
                    "nobody took the news of finished tasks in time"
                );
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        });
    }

    /// Lets listeners go, after what they have been told.
    pub(crate) fn close(&self) {
        self.listeners.lock().clear();
    }
}

impl Engine {
    /// Tasks as they finish, from now on until the folder is closed. The queue holds this
    /// many commits; what does not fit is not told.
    pub fn finished_tasks(&self, queue: usize) -> Receiver<Finished> {
        let (sender, receiver) = sync_channel(queue);
        self.shared().announcer.listeners.lock().push(sender);
        receiver
    }

    /// How many tasks wait, and how many have finished since the folder was opened.
    pub fn task_counts(&self) -> TaskCounts {
        let mut counts = *self.shared().announcer.counts.lock();
        for task in self.shared().pending_tasks() {
            counts.count(task.status);
        }
        counts
    }
}
