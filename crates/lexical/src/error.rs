//! Why an index could not be used, and why a query was refused.
//!
//! A refused query names the attribute and what would be allowed, in the
//! manner that clients of the search conventions already show to people.

use std::io;
use std::path::{Path, PathBuf};
use tantivy::TantivyError;
use tantivy::directory::error::OpenWriteError;

/// Why the index folder could not be created, opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LexicalError {
    #[error("cannot read or write the words index in {path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} already holds a words index: open it, or choose an empty folder")]
    Exists { path: PathBuf },
    #[error(
        "{path} has no words index: its file `{missing}` is not there; rebuild the index from the log"
    )]
    Missing {
        path: PathBuf,
        missing: &'static str,
    },
    #[error(
        "{path} is words format {found}, but this build reads format {expected}: use a newer build, or rebuild the index"
    )]
    Format {
        path: PathBuf,
        found: u32,
        expected: u32,
    },
    #[error("{path} is damaged ({what}): delete the folder and rebuild the index from the log")]
    Damaged { path: PathBuf, what: String },
    #[error("the words index in {path} is being written by another process")]
    Locked { path: PathBuf },
    #[error("a document id must have 1 to {most} bytes, this one has {bytes}")]
    Id { bytes: usize, most: usize },
    #[error("the words index in {path} failed")]
    Engine {
        path: PathBuf,
        #[source]
        source: Box<TantivyError>,
    },
}

impl LexicalError {
    /// Sorts tantivy's failures by what a person can do about them.
    pub(crate) fn from_tantivy(path: &Path, source: TantivyError) -> Self {
        let path = path.to_owned();
        match source {
            TantivyError::LockFailure(..) => Self::Locked { path },
            TantivyError::IoError(source)
            | TantivyError::OpenWriteError(OpenWriteError::IoError {
                io_error: source, ..
            }) => {
                let text = source.to_string();
                let source =
                    of_the_system(&text).unwrap_or_else(|| io::Error::new(source.kind(), text));
                Self::Io { path, source }
            }
            TantivyError::DataCorruption(_)
            | TantivyError::OpenReadError(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::SchemaError(_) => Self::Damaged {
                path,
                what: source.to_string(),
            },
            source => match of_the_system(&source.to_string()) {
                Some(source) => Self::Io { path, source },
                None => Self::Engine {
                    path,
                    source: Box::new(source),
                },
            },
        }
    }
}

/// The error of the system behind an error of tantivy, which may wrap it in one without a source or keep its text only.
/// Its number still stands in the text.
fn of_the_system(text: &str) -> Option<io::Error> {
    let (_, rest) = text.rsplit_once("(os error ")?;
    let (number, _) = rest.split_once(')')?;
    Some(io::Error::from_raw_os_error(number.parse().ok()?))
}

/// Why a query was refused or could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    #[error("Attribute `{attribute}` is not filterable. {}", listed(.available, "filterable"))]
    NotFilterable {
        attribute: String,
        available: Vec<String>,
    },
    #[error("Attribute `{attribute}` is not sortable. {}", listed(.available, "sortable"))]
    NotSortable {
        attribute: String,
        available: Vec<String>,
    },
    #[error(
        "Invalid facet distribution: Attribute `{attribute}` is not filterable. {}",
        listed(.available, "filterable")
    )]
    NotFacetable {
        attribute: String,
        available: Vec<String>,
    },
    #[error("Attribute `{attribute}` is not searchable. {}", listed(.available, "searchable"))]
    NotSearchable {
        attribute: String,
        available: Vec<String>,
    },
    #[error(
        "Attribute `{attribute}` is not filterable and thus, cannot be used as distinct attribute. {}",
        listed(.available, "filterable")
    )]
    NotDistinct {
        attribute: String,
        available: Vec<String>,
    },
    #[error("the words index could not be read")]
    Read {
        #[source]
        source: Box<TantivyError>,
    },
}

impl From<TantivyError> for QueryError {
    fn from(source: TantivyError) -> Self {
        Self::Read {
            source: Box::new(source),
        }
    }
}

impl From<io::Error> for QueryError {
    fn from(source: io::Error) -> Self {
        Self::from(TantivyError::from(source))
    }
}

fn listed(available: &[String], kind: &str) -> String {
    if available.is_empty() {
        return format!("This index does not have configured {kind} attributes.");
    }
    let mut names: Vec<String> = available.iter().map(|name| format!("`{name}`")).collect();
    names.sort();
    names.dedup();
    format!("Available {kind} attributes are: {}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_recognised_however_it_is_wrapped() {
        let system = || io::Error::from_raw_os_error(2);
        for wrapped in [
            TantivyError::from(system()),
            TantivyError::from(io::Error::other(system().to_string())),
            TantivyError::InternalError(system().to_string()),
            TantivyError::OpenWriteError(OpenWriteError::wrap_io_error(system(), "x".into())),
        ] {
            let LexicalError::Io { source, .. } =
                LexicalError::from_tantivy(Path::new("words"), wrapped)
            else {
                panic!("not told apart")
            };
            assert_eq!(source.kind(), io::ErrorKind::NotFound);
        }
        for other in ["no number", "(os error x)", "(os error 2"] {
            assert!(of_the_system(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_refusal_lists_what_is_allowed() {
        let refused = |available: &[&str]| QueryError::NotFilterable {
            attribute: "x".into(),
            available: available.iter().map(|name| name.to_string()).collect(),
        };
        assert_eq!(
            refused(&["b", "a"]).to_string(),
            "Attribute `x` is not filterable. Available filterable attributes are: `a`, `b`."
        );
        assert_eq!(
            refused(&[]).to_string(),
            "Attribute `x` is not filterable. This index does not have configured filterable attributes."
        );
    }
}
