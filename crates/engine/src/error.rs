//! Why a request was not done. The server maps each kind to a status and a stable code.

use crate::{SettingsError, recommend::UnknownKind};
use domain::{FilterError, IdError};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{LogError, ViewsError};

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
    /// A broken invariant, and what was said of it.
    #[error("a thread panicked: {0}")]
    Panicked(String),
    #[error(
        "no space left on the disk that holds {}: free some space and start again; nothing acknowledged was lost",
        path.display()
    )]
    Full {
        path: PathBuf,
        #[source]
        source: Arc<EngineError>,
    },
    #[error(
        "The attribute `{attribute}` is filterable, but not with {operators}: see its `features` in `filterableAttributes`."
    )]
    OperatorNotAllowed {
        attribute: String,
        operators: &'static str,
    },
    #[error(
        "Attribute `{0}` is not facet-searchable: see `filterableAttributes`, and its `features` there."
    )]
    NotFacetSearchable(String),
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
    #[error("Model `{0}` not found.")]
    ModelNotFound(String),
    #[error("`{0}` is not a kind of model: use affinity")]
    ModelKind(String),
    #[error(transparent)]
    Cpu(#[from] kernels::CpuError),
    #[error(transparent)]
    Affinity(#[from] models::affinity::AffinityError),
    #[error("{path} is no model that can be used: {reason}")]
    ModelUnusable { path: PathBuf, reason: String },
    #[error(
        "model `{id}` has an ndcg@10 of {score} in its validation, the live one `{live}` has {live_score}: nothing was changed; promote it with force if it shall be live all the same"
    )]
    WorseModel {
        id: String,
        score: f64,
        live: String,
        live_score: f64,
    },
    #[error("model `{id}` is {state}: only a candidate can become the shadow")]
    NotACandidate { id: String, state: &'static str },
    #[error("no model is live with which `{0}` could be compared: make it live at once")]
    NothingToCompareWith(String),
    #[error("model `{id}` is {state}: only the shadow can become a candidate again")]
    NotTheShadow { id: String, state: &'static str },
    #[error("no `{0}` model was live before the one that is: there is nothing to go back to")]
    NoModelBefore(String),
    #[error(transparent)]
    Vectors(#[from] vector::VectorError),
    #[error(transparent)]
    Encoding(#[from] Box<encode::ModelError>),
    #[error(transparent)]
    Encoder(#[from] encode::ServiceError),
    #[error("Cannot find embedder with name `{0}`.")]
    EmbedderNotFound(String),
    #[error("embedder `{name}` cannot be used: {reason}")]
    EmbedderFails { name: String, reason: String },
    #[error("the vectors of this embedder have {expected} numbers, but the given one has {found}")]
    Dimensions { expected: usize, found: usize },
    #[error("a vector of zeros, or of numbers beyond measure, has no direction")]
    NoDirection,
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

impl EngineError {
    /// Whether more space on the disk would help, however deep down that is said.
    pub(crate) fn is_full(&self) -> bool {
        if self.says_full() {
            return true;
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return store::is_full(error);
            }
            cause = error.source();
        }
        false
    }

    /// The same error, as a sentence that says what to do if the disk is full.
    pub(crate) fn or_full(self, dir: &Path) -> Self {
        if self.says_full() || !self.is_full() {
            return self;
        }
        Self::Full {
            path: dir.to_owned(),
            source: Arc::new(self),
        }
    }

    fn says_full(&self) -> bool {
        match self {
            Self::Full { .. } | Self::Log(LogError::Full { .. }) => true,
            Self::NotWritten(log) => matches!(**log, LogError::Full { .. }),
            Self::Views(ViewsError::Full { .. }) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_and_says_what_to_do() {
        let failed = |kind: io::ErrorKind| EngineError::Folder {
            path: "shop/indexes".into(),
            source: kind.into(),
        };
        let full = failed(io::ErrorKind::StorageFull);
        assert!(full.is_full());
        let said = full.or_full(Path::new("shop"));
        let sentence = said.to_string();
        assert!(
            sentence.contains("holds shop: free some space"),
            "{sentence}"
        );
        assert!(said.is_full());
        assert_eq!(said.or_full(Path::new("x")).to_string(), sentence);

        let other = failed(io::ErrorKind::PermissionDenied);
        assert!(!other.is_full());
        let other = other.or_full(Path::new("shop")).to_string();
        assert_eq!(other, "cannot use shop/indexes");
    }
}
