//! Nearest neighbours over the vectors of one index: rows on disk, an exact scan, and a graph
//! for when there are many.
//!
//! A vector is known by its **slot**, a number given in the order of appending and never given
//! again. The caller keeps which item has which slot and which slots are alive in its
//! snapshot, so the store only grows: an update appends, a deletion is none of its business.
//! [`VectorStore`] is the one writer, [`Vectors`] what any number of readers hold.
//!
//! ```
//! use vector::VectorStore;
//!
//! # let folder = tempfile::tempdir()?;
//! let mut store = VectorStore::open(folder.path(), 2, 0)?;
//! store.append(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8])?;
//! store.flush()?;
//!
//! let vectors = store.reader();
//! let found = vectors.nearest(&[0.0, 1.0], 2, 0.0, |slot| slot != 1)?;
//! let slots: Vec<u32> = found.iter().map(|neighbour| neighbour.slot).collect();
//! assert_eq!(slots, [2, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod best;
#[expect(unsafe_code, reason = "rows are read where they are mapped")]
mod chunk;
mod error;
mod files;
mod graph;
mod header;
mod rows;
mod store;
#[cfg(test)]
mod tests;
mod vectors;

pub use best::Neighbour;
pub use error::VectorError;
pub use graph::{BuiltGraph, GraphOptions};
pub use store::VectorStore;
pub use vectors::Vectors;
