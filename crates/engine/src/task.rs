//! Tasks: what became of each write to a catalogue.
//!
//! A task's uid is the sequence number of its record in the log. Event batches are
//! applied before they are answered, so they are not kept in the task list.

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One write and its outcome, with the names of the Meilisearch convention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub uid: u64,
    pub index_uid: Option<String>,
    pub status: TaskStatus,
    pub kind: TaskKind,
    /// `receivedDocuments`, `indexedDocuments`, and ours: `refusedRows`, `changedRows`.
    pub details: Map<String, Value>,
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

/// Which tasks to list. Empty lists and `None` do not restrict.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    pub limit: usize,
    /// Newest uid to list.
    pub from: Option<u64>,
    pub uids: Vec<u64>,
    pub index_uids: Vec<String>,
    pub statuses: Vec<TaskStatus>,
    pub kinds: Vec<TaskKind>,
    /// Oldest first instead of newest first.
    pub reverse: bool,
}
