//! What can go wrong with vectors and their files. Each error names the file or the row, and
//! where the way out is to build the folder anew it says so.

use std::io;
use std::path::{Path, PathBuf};

/// Why vectors could not be kept or asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// The disk refused.
    #[error("cannot {action} {path}")]
    Io {
        /// A verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No store has vectors so long or so short.
    #[error("vectors of {found} numbers cannot be kept, only of 1 to {most}")]
    Unsupported {
        /// The dimensions that were asked for.
        found: usize,
        /// The most there can be.
        most: usize,
    },
    /// Another file lies where ours should be.
    #[error("{path} does not hold {what}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
    },
    /// The file was written by a later version.
    #[error("{path} has format {found}, but this version reads up to {known}; use a newer one")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that can be read.
        known: u32,
    },
    /// The folder was written for vectors of another length, as by another model.
    #[error("{path} holds vectors of {found} numbers, not {expected}; build it anew")]
    OtherDimensions {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        expected: usize,
        /// What the file holds.
        found: usize,
    },
    /// The file contradicts itself.
    #[error("{path} is damaged: {what}; build its folder anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Vectors that were durable are not there.
    #[error("{folder} has {found} vectors of {known}; build it anew")]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The slots that the caller knows of.
        known: u32,
        /// Those that are there.
        found: u32,
    },
    /// A query or rows do not fit the store.
    #[error("{found} numbers are not made of vectors of {dimensions}")]
    Length {
        /// Those of the store.
        dimensions: usize,
        /// How many numbers were given.
        found: usize,
    },
    /// A vector that has no cosine.
    #[error("vector {row} has length {length}, but must have length one, or be all zeros")]
    NotUnit {
        /// Its place among those given, from 0.
        row: usize,
        /// Its length; not a number where one of its numbers is none.
        length: f32,
    },
    /// Every slot was given.
    #[error("{folder} is full; build it anew without what was deleted")]
    Full {
        /// The folder.
        folder: PathBuf,
    },
    /// A graph was built on vectors that this store does not have.
    #[error("the graph has {slots} slots, the store {len}")]
    Ahead {
        /// Slots that the graph covers.
        slots: u32,
        /// Slots of the store.
        len: u32,
    },
    /// The library of the graph refused; in practice, for want of memory.
    #[error("the graph of neighbours failed")]
    Graph(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The instructions that were forced do not exist here.
    #[error(transparent)]
    Cpu(#[from] kernels::CpuError),
}

impl VectorError {
    /// For `map_err` on the result of a file operation.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn graph(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Graph(Box::new(error))
    }
}
