//! Tasks: what became of each write to a catalogue.
//!
//! A task's uid is the sequence number of its record in the log. Event batches are
//! applied before they are answered, so they are not kept in the task list.

use domain::{IndexPattern, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One write and its outcome, with the names of the Meilisearch convention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub uid: u64,
    /// The first task of those that were applied together; `None` until it is applied.
    #[serde(default)]
    pub batch_uid: Option<u64>,
    /// The index it is about; `None` when it is about the whole folder.
    pub index_uid: Option<String>,
    pub status: TaskStatus,
    pub kind: TaskKind,
    /// `receivedDocuments`, `indexedDocuments`, and ours: `refusedRows`, `changedRows`.
    pub details: Map<String, Value>,
    /// The task that canceled it.
    #[serde(default)]
    pub canceled_by: Option<u64>,
    /// The note that the write was given.
    #[serde(default)]
    pub custom_metadata: Option<String>,
    /// Why it failed, or why it will not go on before a restart.
    pub error: Option<TaskError>,
    pub enqueued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskStatus {
    Enqueued,
    Processing,
    Succeeded,
    Failed,
    Canceled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskKind {
    IndexCreation,
    IndexUpdate,
    IndexDeletion,
    DocumentAdditionOrUpdate,
    DocumentDeletion,
    SettingsUpdate,
    EventAddition,
    TaskCancelation,
    TaskDeletion,
    IndexSwap,
    DumpCreation,
    SnapshotCreation,
}

impl TaskStatus {
    /// Whether nothing will happen to such a task any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// Why a task failed or does not go on: the error object of the convention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    pub message: String,
    /// Stable code such as `index_already_exists`.
    pub code: String,
}

/// One row that a task refused or changed, to be listed on request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowNote {
    /// 1-based row of the payload.
    pub row: u64,
    pub field: Option<String>,
    pub refused: bool,
    pub what: String,
}

/// Which tasks are meant. Empty lists and `None` do not restrict.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    pub uids: Vec<u64>,
    pub batch_uids: Vec<u64>,
    pub canceled_by: Vec<u64>,
    pub index_uids: Vec<String>,
    pub statuses: Vec<TaskStatus>,
    pub kinds: Vec<TaskKind>,
    pub enqueued: Period,
    pub started: Period,
    pub finished: Period,
    /// The indexes whose tasks may be seen; `None` for all, and for tasks without an index.
    pub within: Option<Vec<IndexPattern>>,
}

/// A stretch of time, without its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

/// Which part of a list to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskPaging {
    pub limit: usize,
    /// Newest uid to list; the oldest when reversed.
    pub from: Option<u64>,
    /// Oldest first instead of newest first.
    pub reverse: bool,
}

impl Period {
    /// Whether it restricts nothing.
    pub fn is_open(self) -> bool {
        self == Self::default()
    }

    fn holds(self, at: Option<Timestamp>) -> bool {
        let Some(at) = at else {
            return self.is_open();
        };
        self.after.is_none_or(|after| at > after) && self.before.is_none_or(|before| at < before)
    }
}

impl TaskQuery {
    /// Whether it means all tasks.
    pub(crate) fn is_open(&self) -> bool {
        self.uids.is_empty()
            && self.batch_uids.is_empty()
            && self.canceled_by.is_empty()
            && self.index_uids.is_empty()
            && self.statuses.is_empty()
            && self.kinds.is_empty()
            && [self.enqueued, self.started, self.finished]
                .iter()
                .all(|period| period.is_open())
            && self.within.is_none()
    }

    /// Whether it may mean tasks that are finished.
    pub(crate) fn may_be_finished(&self) -> bool {
        self.statuses.is_empty() || self.statuses.iter().any(|status| status.is_final())
    }

    /// Whether a task is one of those that are meant.
    pub(crate) fn matches(&self, task: &Task) -> bool {
        fn among<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
            list.is_empty() || value.is_some_and(|value| list.contains(value))
        }
        among(&self.uids, Some(&task.uid))
            && among(&self.batch_uids, task.batch_uid.as_ref())
            && among(&self.canceled_by, task.canceled_by.as_ref())
            && among(&self.index_uids, task.index_uid.as_ref())
            && among(&self.statuses, Some(&task.status))
            && among(&self.kinds, Some(&task.kind))
            && self.enqueued.holds(Some(task.enqueued_at))
            && self.started.holds(task.started_at)
            && self.finished.holds(task.finished_at)
            && self.sees(task)
    }

    /// Whether whoever asks may know of a task.
    pub(crate) fn sees(&self, task: &Task) -> bool {
        let Some(patterns) = &self.within else {
            return true;
        };
        patterns.iter().any(|pattern| match &task.index_uid {
            Some(uid) => pattern.covers(uid),
            None => pattern.is_every(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_leave_their_ends_out_and_what_has_no_time() {
        let at = |millis| Some(Timestamp::from_millis(millis));
        let span = Period {
            after: at(10),
            before: at(20),
        };
        for (moment, inside) in [(10, false), (11, true), (19, true), (20, false)] {
            assert_eq!(span.holds(at(moment)), inside, "{moment}");
        }
        assert!(!span.holds(None));
        assert!(Period::default().holds(None));
    }
}
