//! What one record of the log means: an [`Entry`] in `postcard` bytes.
//!
//! The kind byte of the record says whether an entry concerns the catalogue or
//! events, so that catching up can skip what it does not need without decoding it.

use crate::ledger::{LedgerChange, Statement};
use crate::{EngineError, RowNote, TaskKind};
use domain::{Event, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use store::{NewRecord, Record};

/// Format of the payload; a newer one is refused.
const VERSION: u8 = 5;
/// The format before the ledger and the erasure of shoppers.
const MODELS_VERSION: u8 = 4;
/// The format before the models of an index.
const ASKED_VERSION: u8 = 3;
/// The format before the names of indexes changed by an update, and before [`Asked`].
const FOLDER_VERSION: u8 = 2;
/// The format that has everything but what concerns no single index.
const CATALOGUE_VERSION: u8 = 1;

/// An index as the log knows it: the sequence number of the record that created it,
/// so that an index deleted and created again is a different one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct IndexNo(pub u64);

impl IndexNo {
    /// Of a write to an index that does not exist; its task fails.
    pub(crate) const NONE: Self = Self(u64::MAX);
}

/// One accepted write.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub at: Timestamp,
    pub index: IndexNo,
    /// Empty for what concerns no single index.
    pub uid: String,
    pub body: Body,
    /// Stands behind the entry in the payload, and only where something was asked.
    #[serde(skip)]
    pub asked: Asked,
}

/// What else was asked of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// A note for its task.
    pub custom_metadata: Option<String>,
    /// Documents that are not known are passed over.
    pub known_only: bool,
    /// A filter as it was given, for its task.
    pub given_filter: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Body {
    CreateIndex {
        primary_key: Option<String>,
    },
    UpdateIndex {
        primary_key: Option<String>,
    },
    DeleteIndex,
    Documents(DocumentsBody),
    DeleteDocuments(SelectionBody),
    /// The patch as JSON text.
    Settings(String),
    Events(Vec<Event>),
    /// Its content was superseded and dropped by compaction.
    Compacted,
    /// The change as JSON text.
    Registry(String),
    CancelTasks(ChosenTasks),
    DeleteTasks(ChosenTasks),
    SwapIndexes(Vec<SwapBody>),
    Dump,
    Snapshot,
    RenameIndex(RenameBody),
    Models(ModelsBody),
    EraseShopper(EraseBody),
    Ledger(LedgerBody),
}

/// What is stated of shoppers and given by them from here on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LedgerBody {
    pub statements: Vec<Statement>,
    /// What was asked for; the writer settles it into statements.
    #[serde(skip)]
    pub asked: Vec<LedgerChange>,
}

/// The models of an index from here on, as JSON text. The whole list, so that twice the same
/// record is as good as once.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelsBody {
    /// The index they were added to, whatever has its name by now.
    pub index: IndexNo,
    pub list: String,
}

/// A shopper whose events before this record are to be erased. It is dropped itself once they
/// are.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EraseBody {
    /// The index they shop in, whatever has its name by now.
    pub index: IndexNo,
    pub user: UserId,
}

/// An update that gives an index another name.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RenameBody {
    /// From the first to the second.
    pub names: (String, String),
    pub primary_key: Option<String>,
    /// Which other index had the name when the write was accepted.
    pub taken_by: Option<IndexNo>,
}

/// Two indexes that exchange their names, or one that takes another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SwapBody {
    pub names: (String, String),
    pub rename: bool,
    /// Which indexes had these names when the write was accepted.
    pub numbers: (IndexNo, IndexNo),
}

/// Tasks that were chosen when the write was accepted, so that a rebuild chooses the same.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChosenTasks {
    /// The query as it was given.
    pub filter: String,
    /// How many tasks the query met, whether or not anything could be done to them.
    pub matched: u64,
    pub uids: Vec<u64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DocumentsBody {
    pub primary_key: Option<String>,
    /// Lay attributes over the old document instead of replacing it.
    pub update: bool,
    /// JSON objects in order; `None` where compaction dropped a superseded version.
    pub documents: Vec<Option<String>>,
    /// The payload's row of each document, where it is not simply 1, 2, 3 …
    pub rows: Vec<u64>,
    /// Rows that were refused before they got here.
    pub refused: Vec<RowNote>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum SelectionBody {
    All,
    Ids(Vec<String>),
    Filter(String),
}

/// The kind byte of event records.
pub(crate) const EVENTS: u8 = 7;
/// The kind byte of records that cancel others before them.
pub(crate) const CANCELATIONS: u8 = 10;
/// The kind byte of records that erase a shopper.
pub(crate) const ERASURES: u8 = 17;
/// The kind byte of records of the ledger.
pub(crate) const LEDGER: u8 = 18;

impl Body {
    fn record_kind(&self) -> u8 {
        match self {
            Self::CreateIndex { .. } => 1,
            Self::UpdateIndex { .. } => 2,
            Self::DeleteIndex => 3,
            Self::Documents(_) => 4,
            Self::DeleteDocuments(_) => 5,
            Self::Settings(_) => 6,
            Self::Events(_) => EVENTS,
            Self::Compacted => 8,
            Self::Registry(_) => 9,
            Self::CancelTasks(_) => CANCELATIONS,
            Self::DeleteTasks(_) => 11,
            Self::SwapIndexes(_) => 12,
            Self::Dump => 13,
            Self::Snapshot => 14,
            Self::RenameIndex(_) => 15,
            Self::Models(_) => 16,
            Self::EraseShopper(_) => ERASURES,
            Self::Ledger(_) => LEDGER,
        }
    }

    /// The oldest format that knows it, so that builds before it say they are too old.
    fn version(&self) -> u8 {
        match self {
            Self::Registry(_)
            | Self::CancelTasks(_)
            | Self::DeleteTasks(_)
            | Self::SwapIndexes(_)
            | Self::Dump
            | Self::Snapshot => FOLDER_VERSION,
            Self::RenameIndex(_) => ASKED_VERSION,
            Self::Models(_) => MODELS_VERSION,
            Self::EraseShopper(_) | Self::Ledger(_) => VERSION,
            _ => CATALOGUE_VERSION,
        }
    }

    /// Whether it can be canceled while it waits. What later writes rest on, that an index
    /// exists or how it is called, cannot: it takes a moment and is done.
    pub(crate) fn is_cancelable(&self) -> bool {
        matches!(
            self,
            Self::Documents(_)
                | Self::DeleteDocuments(_)
                | Self::Settings(_)
                | Self::UpdateIndex { .. }
        )
    }

    /// The task this entry is shown as; `None` for what is done when it is answered.
    pub(crate) fn task_kind(&self) -> Option<TaskKind> {
        Some(match self {
            Self::CreateIndex { .. } => TaskKind::IndexCreation,
            Self::UpdateIndex { .. } | Self::RenameIndex(_) => TaskKind::IndexUpdate,
            Self::DeleteIndex => TaskKind::IndexDeletion,
            Self::Documents(_) => TaskKind::DocumentAdditionOrUpdate,
            Self::DeleteDocuments(_) => TaskKind::DocumentDeletion,
            Self::Settings(_) => TaskKind::SettingsUpdate,
            Self::Events(_) => TaskKind::EventAddition,
            Self::CancelTasks(_) => TaskKind::TaskCancelation,
            Self::DeleteTasks(_) => TaskKind::TaskDeletion,
            Self::SwapIndexes(_) => TaskKind::IndexSwap,
            Self::Dump => TaskKind::DumpCreation,
            Self::Snapshot => TaskKind::SnapshotCreation,
            Self::Compacted
            | Self::Registry(_)
            | Self::Models(_)
            | Self::EraseShopper(_)
            | Self::Ledger(_) => {
                return None;
            }
        })
    }
}

impl Entry {
    /// The index it names; `None` when it concerns the whole folder.
    pub(crate) fn index_uid(&self) -> Option<String> {
        Some(self.uid.clone()).filter(|uid| !uid.is_empty())
    }

    pub(crate) fn encode(&self) -> Result<NewRecord, EngineError> {
        let failed = |err: postcard::Error| EngineError::Record {
            seq: u64::MAX,
            reason: err.to_string(),
        };
        let mut payload = postcard::to_stdvec(self).map_err(failed)?;
        let mut version = self.body.version();
        if self.asked != Asked::default() {
            payload.extend(postcard::to_stdvec(&self.asked).map_err(failed)?);
            version = version.max(ASKED_VERSION);
        }
        Ok(NewRecord {
            kind: self.body.record_kind(),
            version,
            payload,
        })
    }

    pub(crate) fn decode(record: &Record) -> Result<Self, EngineError> {
        let refuse = |reason: String| EngineError::Record {
            seq: record.seq,
            reason,
        };
        if record.kind == store::LOST {
            return Err(refuse("it was given up by `vitrine repair`".to_owned()));
        }
        if record.version > VERSION {
            return Err(refuse(format!(
                "it has format {}, but this build reads up to {VERSION}; use a newer vitrine",
                record.version
            )));
        }
        let damaged = |err: postcard::Error| refuse(err.to_string());
        let (mut entry, rest): (Self, &[u8]) =
            postcard::take_from_bytes(&record.payload).map_err(damaged)?;
        if !rest.is_empty() {
            entry.asked = postcard::from_bytes(rest).map_err(damaged)?;
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(asked: Asked) -> Entry {
        Entry {
            at: Timestamp::from_millis(5),
            index: IndexNo(1),
            uid: "a".to_owned(),
            body: Body::DeleteDocuments(SelectionBody::All),
            asked,
        }
    }

    #[track_caller]
    fn check(entry: &Entry, version: u8) {
        let NewRecord {
            kind,
            version: found,
            payload,
        } = entry.encode().expect("can be written");
        assert_eq!(found, version);
        let record = Record {
            seq: 7,
            kind,
            version: found,
            payload,
        };
        assert_eq!(Entry::decode(&record).expect("can be read"), *entry);
    }

    #[test]
    fn only_what_older_builds_cannot_read_has_the_newer_format() {
        check(&entry(Asked::default()), CATALOGUE_VERSION);
        let asked = Asked {
            custom_metadata: Some("nightly".to_owned()),
            ..Asked::default()
        };
        check(&entry(asked), ASKED_VERSION);
    }
}
