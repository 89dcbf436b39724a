//! What can be asked of the writer, and what it answers once a write is durable.

use crate::{LedgerChange, RegistryChange, SettingsPatch, TaskKind, TaskQuery};
use domain::{Event, IndexUid, Timestamp};
use intake::Rejected;
use serde_json::{Map, Value};

/// One write. It becomes one record of the log; its sequence number is the task uid.
#[derive(Debug)]
pub enum Write {
    CreateIndex {
        uid: IndexUid,
        primary_key: Option<String>,
    },
    /// Sets the primary key of an index that has no documents yet.
    UpdateIndex {
        uid: IndexUid,
        primary_key: Option<String>,
    },
    /// Gives an index another name, and a primary key as above.
    RenameIndex {
        uid: IndexUid,
        name: IndexUid,
        primary_key: Option<String>,
    },
    DeleteIndex {
        uid: IndexUid,
    },
    Documents(DocumentsWrite),
    DeleteDocuments {
        uid: IndexUid,
        selection: Selection,
    },
    Settings {
        uid: IndexUid,
        patch: SettingsPatch,
    },
    /// Events of an index that exists. Duplicates by event id are dropped.
    Events {
        uid: IndexUid,
        events: Vec<Event>,
    },
    /// Statements of shoppers of an index that exists; they hold when they are answered.
    Ledger {
        uid: IndexUid,
        changes: Vec<LedgerChange>,
    },
    /// In force when it is answered; it becomes no task.
    Registry(RegistryChange),
    /// Cancels those of the tasks that wait still and can be canceled.
    CancelTasks(ChosenBy),
    /// Deletes those of the tasks that are finished.
    DeleteTasks(ChosenBy),
    /// All of them or none; no index may be named twice.
    SwapIndexes(Vec<IndexSwap>),
    /// Writes a backup below the data folder, beside those before.
    Dump,
    /// The same in the place of the one before.
    Snapshot,
    /// A write with a note for its task.
    Noted(Box<Write>, String),
}

/// A query for tasks, and its text, which the task shows.
#[derive(Debug)]
pub struct ChosenBy {
    pub query: TaskQuery,
    pub filter: String,
}

/// Two indexes that exchange their names.
#[derive(Debug)]
pub struct IndexSwap {
    pub first: IndexUid,
    pub second: IndexUid,
    /// The second does not exist and is the new name of the first.
    pub rename: bool,
}

/// Documents to add; a missing index is created.
#[derive(Debug)]
pub struct DocumentsWrite {
    pub uid: IndexUid,
    pub primary_key: Option<String>,
    pub mode: WriteMode,
    pub documents: Vec<Map<String, Value>>,
    /// The payload's row of each document; empty when they are simply 1, 2, 3 …
    pub rows: Vec<u64>,
    /// Rows that could not even be read; they are counted and listed with the task.
    pub rejected: Vec<Rejected>,
}

/// What happens to a document that exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// The new document takes its place whole.
    Replace,
    /// The new document's attributes are laid over the old one's.
    Update,
    /// As `Replace`; documents that are not known are passed over.
    ReplaceKnown,
    /// As `Update`; documents that are not known are passed over.
    UpdateKnown,
}

impl WriteMode {
    /// Whether attributes are laid over those of the old document.
    pub fn is_update(self) -> bool {
        matches!(self, Self::Update | Self::UpdateKnown)
    }

    /// Whether documents that are not known are passed over.
    pub fn is_known_only(self) -> bool {
        matches!(self, Self::ReplaceKnown | Self::UpdateKnown)
    }
}

/// Which documents to delete.
#[derive(Debug)]
pub enum Selection {
    All,
    Ids(Vec<String>),
    /// A filter in the grammar of searches; checked when the task runs.
    Filter(String),
    /// The same, and the JSON as which it was given, which the task shows.
    GivenFilter {
        filter: String,
        given: String,
    },
}

/// The answer to a write: it is on disk, and will be applied in order.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub task_uid: u64,
    /// The index it is about; `None` when it is about the whole folder.
    pub index_uid: Option<IndexUid>,
    /// `None` for what becomes no task.
    pub kind: Option<TaskKind>,
    pub enqueued_at: Timestamp,
    /// The note that the write was given.
    pub custom_metadata: Option<String>,
    /// For events only: they are applied already.
    pub events: Option<EventsReceipt>,
    /// How many statements of the ledger the write made or took back.
    pub statements: u64,
}

/// What became of a batch of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventsReceipt {
    pub accepted: u64,
    /// Dropped because an event with the same id is known.
    pub duplicates: u64,
    /// Accepted events whose item is not in the catalogue (yet).
    pub unknown_items: u64,
}
