//! Why an index is not trained for.

use domain::IndexUid;
use engine::EngineError;
use std::io;
use std::path::PathBuf;
use train::TrainError;

/// What went wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkshopError {
    #[error("the index {0} is being trained for already: wait until that ends")]
    Busy(IndexUid),
    #[error("there is no training to go on with: begin a new one")]
    NothingToResume,
    #[error("cannot {what} {path}")]
    Folder {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is damaged: begin a new training instead of resuming")]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}
