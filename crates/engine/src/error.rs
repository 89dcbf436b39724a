//! Why a request was not done. The server maps each kind to a status and a stable code.

use crate::{SettingsError, recommend::UnknownKind};
use domain::{FilterError, IdError};
use std::path::PathBuf;

/// Every way in which the engine says no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error("Index `{0}` not found.")]
    IndexNotFound(String),
    #[error("Document `{0}` not found.")]
    DocumentNotFound(String),
    #[error("Task `{0}` not found.")]
    TaskNotFound(u64),
    #[error("shopper `{0}` has no events in this index")]
    ShopperNotFound(String),
    #[error("item `{0}` is neither in the catalogue nor in any event of this index")]
    ItemNotFound(String),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Query(#[from] lexical::QueryError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    #[error("a `{kind}` recommendation needs `{field}`")]
    Missing {
        kind: &'static str,
        field: &'static str,
    },
    #[error(
        "the catalogue takes no more writes since one could not be applied ({0}); see to that and restart: nothing accepted is lost"
    )]
    CatalogueStopped(String),
    #[error("the data folder is closing; try again when it is open")]
    Closing,
    #[error(transparent)]
    Log(#[from] store::LogError),
    /// The group of writes could not be made durable; none of it was accepted.
    #[error(transparent)]
    NotWritten(std::sync::Arc<store::LogError>),
    #[error(transparent)]
    Views(#[from] store::ViewsError),
    #[error(
        "{what} in the views cannot be used: {reason}; stop the server, delete the folder `views` and start again: it is rebuilt from the log"
    )]
    View { what: &'static str, reason: String },
    #[error(transparent)]
    Model(#[from] models::ModelError),
    #[error(transparent)]
    Lock(#[from] store::LockError),
    #[error(transparent)]
    Backup(#[from] store::BackupError),
    #[error(transparent)]
    Restore(#[from] store::RestoreError),
    #[error(transparent)]
    Words(#[from] lexical::LexicalError),
    #[error(transparent)]
    Profiles(#[from] profiles::ProfilesError),
    #[error("cannot use {path}")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("record {seq} of the log cannot be read: {reason}")]
    Record { seq: u64, reason: String },
}
